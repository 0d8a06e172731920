# METADATA
# title: HostProcess container on Windows
# description: |
#   A HostProcess container is a process of its Windows node with an account of the node, and sees
#   all of its files, devices and networks: what a privileged container is on Linux.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
# custom:
#   severity: high
#   profile: essential
#   fix: deterministic
#   controls: [pss-baseline/windows-host-process, pss-restricted/windows-host-process, cis-2.0.1/5.2.10]
#   equivalents:
#     - kubescape:C-0202
#     - trivy:KSV-0103
#     - polaris:hostProcess
#     - kyverno:disallow-host-process
#     - gatekeeper:host-process
#     - prowler:core_minimize_admission_windows_hostprocess_containers
package policies.workload.host_process

import data.lib.workload

on := [context |
	some context in workload.contexts
	context.spec.windowsOptions.hostProcess == true
]

deny contains finding if {
	some context in on
	finding := {
		"path": path(context),
		"anchor": context.anchor,
		"message": sprintf("%s runs as a process of its Windows node", [context.who]),
		"fix": {
			"title": "run it in a container",
			"safety": "unsafe",
			# The API server takes all containers of a pod, or none.
			"patch": [{"op": "replace", "path": path(other), "value": false} | some other in on],
		},
	}
}

path(context) := array.concat(context.path, ["windowsOptions", "hostProcess"])
