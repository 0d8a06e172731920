# METADATA
# title: Condition on an unknown attribute
# description: |
#   A `when` whose key Istio does not know is refused by its webhook; where that is off, or did not
#   answer, the whole rule is dropped, and a header or claim without a name in brackets is left out
#   of a DENY. Recorded from Istio's own code and a real Envoy: an ALLOW rule with an unknown key
#   admitted nobody, a DENY rule with one denied nothing, and DENY with `request.headers` denied
#   everybody.
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

deny contains finding if {
	some condition in istio.conditions
	has_brackets(condition.key)
	not regex.match(`^[^\[\]]+(\[[^\[\]]+\])+$`, condition.key)
	finding := {
		"path": array.concat(condition.path, ["key"]),
		"message": sprintf("'%s' is to have the form of '%s[name]': the policy is refused, or %s", [
			condition.key, split(condition.key, "[")[0], without_it[istio.action],
		]),
	}
}

# A condition that is left out makes a DENY wider; an ALLOW rule goes with it.
without_it := {
	"ALLOW": "this rule admits nobody",
	"AUDIT": "this rule tells of more",
	"CUSTOM": "this rule asks about more",
	"DENY": "this rule denies more than is written",
}

is_known(key) if key in {
	"connection.sni", "destination.ip", "destination.port", "remote.ip", "request.auth.audiences",
	"request.auth.presenter", "request.auth.principal", "source.ip", "source.namespace",
	"source.principal", "source.serviceAccount", "source.trustDomain",
}

is_known(key) if has_brackets(key)

has_brackets(key) if {
	some prefix in {"request.auth.claims", "request.headers"}
	startswith(key, prefix)
}

is_known(key) if startswith(key, "experimental.envoy.filters.")
