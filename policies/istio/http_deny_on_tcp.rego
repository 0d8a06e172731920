# METADATA
# title: DENY with a field of HTTP on a TCP port
# description: |
#   On a port whose protocol is not HTTP, a sidecar leaves the fields of HTTP out of a DENY or CUSTOM
#   rule and keeps the rest, which is then wider than what was written. Recorded from a
#   real Envoy: DENY GET cut everybody off from port 5432, and DENY of namespace shop with GET cut off
#   shop; with `ports: ["8080"]` beside the method 5432 stayed open.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#using-istio-authorization-on-plain-tcp-protocols
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
#   equivalents:
#     - istioctl:IST0133
package policies.istio.http_deny_on_tcp

import data.lib.istio

deny contains finding if {
	istio.action in {"CUSTOM", "DENY"}
	some use in istio.http_uses
	left := istio.what_is_left(use)
	some port in input.facts.mesh.ports
	port.protocol == "tcp"
	istio.reaches(use, port.number)
	finding := {
		"path": use.path,
		"anchor": sprintf("%d", [port.number]),
		"message": sprintf("on TCP port %d of %s '%s' is left out: %s", [
			port.number, istio.who(port), use.field, left,
		]),
	}
}
