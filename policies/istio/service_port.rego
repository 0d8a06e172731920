# METADATA
# title: Port of the Service in place of that of the workload
# description: |
#   `ports`, `destination.port` and `portLevelMtls` mean the port on which the workload listens, which
#   the Service calls its target port. A rule on the port of the Service matches no request. Recorded
#   from a real Envoy: with a Service that leads from 80 to 8080, rules on 80 matched nothing, and a
#   mode for 80 left 8080 as it was.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
#   - https://istio.io/latest/docs/reference/config/security/peer_authentication/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
#   facts: [mesh]
package policies.istio.service_port

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "ports"
	some port in input.facts.mesh.service_ports
	value.text == sprintf("%d", [port.port])
	finding := {
		"path": value.path,
		"anchor": port.service,
		"message": sprintf("%d is the port of Service %s, whose workloads listen on %d, %s", [
			port.port, port.service, port.target, istio.without_a_match(value),
		]),
	}
}

deny contains finding if {
	is_object(istio.peer.portLevelMtls)
	some written in object.keys(istio.peer.portLevelMtls)
	some port in input.facts.mesh.service_ports
	written == sprintf("%d", [port.port])
	finding := {
		"path": ["spec", "portLevelMtls", written],
		"anchor": port.service,
		"message": sprintf("%d is the port of Service %s, whose workloads listen on %d: this is the mode of no port", [
			port.port, port.service, port.target,
		]),
	}
}
