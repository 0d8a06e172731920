# METADATA
# title: Rule on HTTP for a port of no declared protocol
# description: |
#   Where no Service says by `appProtocol` or name which protocol a port has, a sidecar looks at what
#   the caller sends: HTTP is judged by the rule, anything else as on a TCP port, where an ALLOW rule
#   with a field of HTTP is dropped and a DENY rule loses the field. Recorded from a real Envoy: DENY
#   of one path let GET of another pass, and cut off whoever sent other bytes to the same port.
# related_resources:
#   - https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
#   equivalents:
#     - istioctl:IST0118
package policies.istio.sniffed_port

import data.lib.istio

deny contains finding if {
	some use in istio.http_uses
	means := meaning(use)
	some port in input.facts.mesh.ports
	port.protocol == "auto"
	istio.reaches(use, port.number)
	finding := {
		"path": use.path,
		"anchor": sprintf("%d", [port.number]),
		"message": sprintf("port %d of %s: no Service says its protocol, and to what is not HTTP there %s", [
			port.number, istio.who(port), means,
		]),
	}
}

meaning(_) := "this rule is dropped" if istio.action == "ALLOW"

meaning(use) := sprintf("'%s' is left out and %s", [use.field, istio.what_is_left(use)])
