# METADATA
# title: ALLOW with a field of HTTP on a TCP port
# description: |
#   On a port whose protocol is not HTTP, a sidecar drops every ALLOW rule that has a field of HTTP,
#   with all that stands beside it in the rule. Recorded from a real Envoy: ALLOW GET
#   closed port 5432 to everybody; `to: [{methods: [GET]}, {ports: ["5432"]}]` did not open it, nor did
#   a namespace beside `requestPrincipals`; the same as two rules did. A rule whose
#   `ports` are those of HTTP says that it means no other, and is no finding.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#using-istio-authorization-on-plain-tcp-protocols
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.http_allow_on_tcp

import data.lib.istio
import data.lib.text

deny contains finding if {
	istio.action == "ALLOW"
	some rule in istio.rules
	fields := {use.field | some use in istio.http_uses; use.rule == rule.index}
	count(fields) > 0
	some port in input.facts.mesh.ports
	port.protocol == "tcp"
	port.closed.count > 0
	istio.rule_reaches(rule.index, port.number)
	finding := {
		"path": rule.path,
		"anchor": sprintf("%d", [port.number]),
		"message": sprintf("TCP port %d of %s is closed to everybody: there this rule is dropped for its %s, and no other admits anybody", [
			port.number, istio.who(port.closed), text.joined(" and ", sort(fields)),
		]),
	}
}

# What it says of the port for itself is dropped too, whatever others admit.
deny contains finding if {
	istio.action == "ALLOW"
	some operation in istio.operations
	fields := {use.field | some use in istio.http_uses; use.rule == operation.rule}
	count(fields) > 0
	some port in input.facts.mesh.ports
	port.protocol == "tcp"
	port.closed.count == 0
	istio.is_named(operation.spec.ports, port.number)
	finding := {
		"path": operation.path,
		"anchor": sprintf("%d", [port.number]),
		"message": sprintf("this admits nobody to TCP port %d of %s: there the whole rule is dropped for its %s", [
			port.number, istio.who(port), text.joined(" and ", sort(fields)),
		]),
	}
}
