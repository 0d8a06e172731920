# METADATA
# title: Condition on an unknown attribute
# description: |
#   A `when` whose key Istio does not know is refused by its webhook; where that is off, or did not
#   answer, the whole rule is dropped. Recorded from Istio's own code and a real Envoy: an ALLOW rule
#   with an unknown key admitted nobody, and a DENY rule with one denied nothing.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/conditions/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   equivalents:
#     - istioctl:IST0106
package policies.istio.unknown_condition

import data.lib.istio

deny contains finding if {
	some condition in istio.conditions
	not is_known(condition.key)
	finding := {
		"path": array.concat(condition.path, ["key"]),
		"message": sprintf("Istio knows no attribute '%s': the policy is refused, or this rule is dropped%s", [
			condition.key, istio.dropped,
		]),
	}
}

is_known(key) if key in {
	"connection.sni", "destination.ip", "destination.port", "remote.ip", "request.auth.audiences",
	"request.auth.presenter", "request.auth.principal", "source.ip", "source.namespace",
	"source.principal", "source.serviceAccount", "source.trustDomain",
}

is_known(key) if regex.match(`^request\.headers\[.+\]$`, key)

is_known(key) if regex.match(`^request\.auth\.claims(\[[^\[\]]+\])+$`, key)

is_known(key) if startswith(key, "experimental.envoy.filters.")
