# METADATA
# title: Route by regular expression that is never reached
# description: |
#   At a gateway of Istio a match by RegularExpression stands behind every match by PathPrefix, however
#   short the prefix and in whatever order they are written. Beside a rule for `/`, or for
#   a prefix of all that the expression means, it never gets a request. Recorded from Istio's own
#   routes in a real Envoy: with `/` beside it, the rule for `/foo.*` got none of the requests for
#   /foo, /foobar and /foo/bar.
# related_resources:
#   - https://gateway-api.sigs.k8s.io/reference/spec/#httproutematch
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HTTPRoute]
#   facts: [routes]
package policies.istio.regex_route_unreached

deny contains finding if {
	some match in input.facts.routes.unreached
	finding := {
		"path": match.path,
		"message": sprintf("the prefix '%s' of %s takes every request for '%s': prefixes come before regular expressions", [
			match.prefix, match.by, match.value,
		]),
	}
}
