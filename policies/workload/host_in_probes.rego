# METADATA
# title: Probe or hook that names a host
# description: |
#   The kubelet sends probes and hooks from the node. With a host of somebody's choice in them it
#   knocks at whatever the node reaches, its own loopback and the metadata service of the cloud
#   included, and tells by the pod's status what answered. The standards ask since 1.34.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/host-probes, pss-restricted/host-probes]
#   equivalents: [gatekeeper:host-probes-lifecycle]
package policies.workload.host_in_probes

import data.lib.workload

probes := [
	["livenessProbe"], ["readinessProbe"], ["startupProbe"],
	["lifecycle", "postStart"], ["lifecycle", "preStop"],
]

deny contains finding if {
	input.kubernetes >= 134
	some container in workload.containers
	some probe in probes
	some action in ["httpGet", "tcpSocket"]
	host := object.get(container.spec, array.concat(probe, [action, "host"]), "")
	is_string(host)
	host != ""
	name := probe[count(probe) - 1]
	path := array.concat(container.path, array.concat(probe, [action, "host"]))
	finding := {
		"path": path,
		"anchor": sprintf("%s/%s", [workload.name(container), name]),
		"message": sprintf("container '%s' names the host '%s' in its %s", [workload.name(container), host, name]),
		"fix": {
			"title": "ask the pod itself",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": path}],
		},
	}
}
