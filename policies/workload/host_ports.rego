# METADATA
# title: Opens a port of its node
# description: |
#   A port of the node is reached by whoever reaches the node, past every Service and most
#   NetworkPolicies, and only one pod of a node can have it. Pods in the network namespace of their
#   node open its ports in any case, and are told of that instead.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/host-ports, pss-restricted/host-ports, cis-2.0.1/5.2.12]
#   equivalents:
#     - kubescape:C-0044
#     - kubescape:C-0204
#     - trivy:KSV-0024
#     - checkov:CKV_K8S_26
#     - polaris:hostPortSet
#     - kics:workload_host_port_not_specified
#     - kyverno:disallow-host-ports
#     - kyverno:disallow-host-ports-range
#     - gatekeeper:host-network-ports
#     - prowler:core_minimize_admission_hostport_containers
package policies.workload.host_ports

import data.lib.workload

deny contains finding if {
	not workload.pod.hostNetwork == true
	some container in workload.containers
	is_array(container.spec.ports)
	some index, port in container.spec.ports
	is_number(port.hostPort)
	port.hostPort != 0
	place := array.concat(container.path, ["ports", index])
	path := array.concat(place, ["hostPort"])
	finding := {
		"path": path,
		"anchor": sprintf("%s/%v", [workload.name(container), object.get(port, "name", port.hostPort)]),
		"message": sprintf("container '%s' opens port %v of its node", [workload.name(container), port.hostPort]),
		"fix": {
			"title": "open no port of the node",
			"safety": "unsafe",
			"patch": [step |
				some field in ["hostPort", "hostIP"]
				field in object.keys(port)
				step := {"op": "remove", "path": array.concat(place, [field])}
			],
		},
	}
}
