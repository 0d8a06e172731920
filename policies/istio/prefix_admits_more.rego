# METADATA
# title: Path prefix without a slash at its end
# description: |
#   `/healthz*` is any path that begins with these letters. Recorded from a real Envoy: ALLOW
#   `/healthz*` admitted `/healthzfoo`, `/healthz.json` and `/healthz%2f..%2fcustomers`, which an
#   application that decodes the slash reads as `/customers`.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.prefix_admits_more

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "paths"
	opens(value)
	regex.match(`^/.*[^/*]\*$`, value.text)
	start := trim_suffix(value.text, "*")
	finding := {
		"path": value.path,
		"message": sprintf("'%s' is every path that begins so: '%sx' and '%s%%2f..%%2fx' too", [value.text, start, start]),
	}
}

opens(value) if {
	istio.action == "ALLOW"
	not value.negative
}

opens(value) if {
	istio.action == "DENY"
	value.negative
}
