# METADATA
# title: Hostname that cuts off a wider route
# description: |
#   A gateway chooses the most specific hostname first, and for good: a request that matches no rule
#   there is answered 404, though a route of a wider hostname, or of none, has a rule for every path.
#   Recorded from Istio's own routes in a real Envoy: with `/foo` under a.example.com and `/` without a
#   hostname, a.example.com/x was not found.
# related_resources:
#   - https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [HTTPRoute]
#   facts: [routes]
package policies.istio.hostname_cuts_off

deny contains finding if {
	some host in input.facts.routes.cut
	finding := {
		"path": ["spec", "hostnames", host.index],
		"message": sprintf("what matches no rule under '%s' is not found: the rule of %s for every path is not asked", [
			host.hostname, host.by,
		]),
	}
}
