# METADATA
# title: Empty from, to or when
# description: |
#   An empty `from`, `to` or `when` restricts nothing: Istio takes it for one that was left out, and
#   both the schema and Istio's webhook accept it. An ALLOW rule whose `from` was emptied, by a
#   template whose list of callers has none or by hand, admits everybody. Recorded from a real Envoy:
#   `rules: [{from: []}]` let a stranger in plain text call every path and every port; the same with
#   DENY cut everybody off.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.empty_list

import data.lib.istio

deny contains finding if {
	some rule in istio.rules
	some field in {"from", "to", "when"}
	is_array(rule.spec[field])
	count(rule.spec[field]) == 0
	finding := {
		"path": array.concat(rule.path, [field]),
		"message": sprintf("'%s: []' restricts nothing: the rule %s %s", [field, verbs[istio.action], everything[field]]),
	}
}

verbs := {"ALLOW": "admits", "AUDIT": "tells of", "CUSTOM": "asks about", "DENY": "denies"}

everything := {
	"from": "every caller, those without an identity too",
	"to": "every operation on every port",
	"when": "under any condition",
}
