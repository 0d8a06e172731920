# METADATA
# title: Port below 1024
# description: |
#   Ports below 1024 were for root alone. A container that opens one runs as root, or has the
#   capability NET_BIND_SERVICE, or relies on its runtime to lift the rule. A Service can give any port
#   that clients expect. Port 22 is told by workload/ssh_port.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     containerd and CRI-O let everybody open these ports in the network namespace of a pod, where they
#     harm nobody, and what a manifest declares is no proof of what is opened.
#   fix: manual
#   equivalents: [trivy:KSV-0117, kube-linter:privileged-ports]
package policies.workload.low_port

import data.lib.ports

deny contains finding if {
	some port in ports.declared
	port.number > 0
	port.number < 1024
	port.number != 22
	finding := {
		"path": port.path,
		"anchor": port.anchor,
		"message": sprintf("container '%s' declares port %v, which is below 1024", [port.container, port.number]),
	}
}
