# METADATA
# title: Probe of a port that is not declared
# description: |
#   What listens need not be declared, so that such a probe may well work; but a number that stands in no
#   list of ports is often a mistake.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents:
#     - kube-linter:liveness-port
#     - kube-linter:readiness-port
#     - kube-linter:startup-port
#     - popeye:POP-105
package policies.health.probe_port_undeclared

import data.lib.probes
import data.lib.workload
import data.lib.written

deny contains finding if {
	some container in probes.containers
	some name in probes.names
	some action in ["httpGet", "tcpSocket", "grpc"]
	port := container.spec[name][action].port
	is_number(port)
	count(numbers) > 0
	not port in numbers
	finding := {
		"path": array.concat(container.path, [name, action, "port"]),
		"anchor": sprintf("%s/%s", [workload.name(container), name]),
		"message": sprintf("no container declares port %v, which the %s of container '%s' asks", [port, name, workload.name(container)]),
	}
}

# All containers of a pod share its address.
numbers := {port.containerPort |
	some container in probes.containers
	some port in written.list(container.spec, "ports")
	is_number(port.containerPort)
}
