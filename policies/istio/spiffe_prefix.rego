# METADATA
# title: Principal written with spiffe://
# description: |
#   Istio compares principals without `spiffe://`, so that one written with it is nobody's. Recorded
#   from a real Envoy: ALLOW with such a principal admitted nobody, and `notPrincipals` with one kept
#   nobody out, its owner among them.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.spiffe_prefix

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "principals"
	startswith(value.text, "spiffe://")
	finding := {
		"path": value.path,
		"message": sprintf("'%s' is nobody's principal, %s: it is written without spiffe://", [
			value.text, istio.without_a_match(value),
		]),
	}
}
