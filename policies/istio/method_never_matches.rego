# METADATA
# title: Method that no request has
# description: |
#   Methods are compared letter by letter, and Envoy refuses a request of HTTP/1.1 with a method in
#   lower case before any policy is asked. Recorded from a real Envoy: `methods: ["get"]` is accepted
#   and matched neither GET nor get.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.method_never_matches

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "methods"
	upper(value.text) != value.text
	finding := {
		"path": value.path,
		"message": sprintf("no request has the method '%s', %s: methods are written in capitals", [
			value.text, istio.without_a_match(value),
		]),
	}
}
