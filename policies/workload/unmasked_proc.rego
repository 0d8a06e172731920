# METADATA
# title: Sees all of /proc
# description: |
#   Container runtimes hide parts of /proc that tell of the node or change it, such as the kernel's
#   memory, its keys and its power switch. Since 1.35 a pod with users of its own may see them: there
#   they are nobody's on the node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/proc-mount, pss-restricted/proc-mount]
#   equivalents:
#     - trivy:KSV-0027
#     - kube-linter:unsafe-proc-mount
#     - polaris:procMount
#     - kics:container_runs_unmasked
#     - kyverno:disallow-proc-mount
#     - gatekeeper:proc-mount
#     - kubesec:ProcMount
#     - kubescape:C-0211
package policies.workload.unmasked_proc

import data.lib.workload

deny contains finding if {
	not workload.protected_by_own_users
	some container in workload.unmasked
	path := array.concat(container.path, ["securityContext", "procMount"])
	finding := {
		"path": path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' mounts /proc as '%v'", [
			workload.name(container), container.spec.securityContext.procMount,
		]),
		"fix": {
			"title": "mask it as the container runtime does",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": path, "value": "Default"}],
		},
	}
}
