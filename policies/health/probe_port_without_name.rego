# METADATA
# title: Probe of a port that has no such name
# description: |
#   A probe may name a port of its own container. Where there is none of that name, it fails each time:
#   the container never is ready, or is restarted for ever.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#use-a-named-port
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   equivalents:
#     - kube-linter:liveness-port
#     - kube-linter:readiness-port
#     - kube-linter:startup-port
#     - popeye:POP-105
package policies.health.probe_port_without_name

import data.lib.probes
import data.lib.workload
import data.lib.written

deny contains finding if {
	some container in probes.containers
	some name in probes.names
	some action in ["httpGet", "tcpSocket"]
	port := container.spec[name][action].port
	is_string(port)
	not regex.match(`^[0-9]+$`, port)
	not port in ports(container)
	finding := {
		"path": array.concat(container.path, [name, action, "port"]),
		"anchor": sprintf("%s/%s", [workload.name(container), name]),
		"message": sprintf("container '%s' has no port named '%s', which its %s asks", [workload.name(container), port, name]),
	}
}

ports(container) := {port.name | some port in written.list(container.spec, "ports")}
