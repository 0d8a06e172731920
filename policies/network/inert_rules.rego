# METADATA
# title: Rules of a direction that the policy leaves out
# description: |
#   A NetworkPolicy acts in the directions that `policyTypes` names; without that field, on incoming
#   traffic, and on outgoing traffic where there is at least one egress rule. Rules of another
#   direction are stored and have no part in anything: they restrict nobody.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
package policies.network.inert_rules

import data.lib.text

deny contains finding if {
	some inert in input.facts.policy_rules.inert
	finding := {
		"path": inert.path,
		"anchor": inert.field,
		"message": sprintf("%s: %s; nothing of this policy restricts what its pods %s", [
			subject(inert), reason(inert), verbs[inert.direction],
		]),
	}
}

verbs := {"Ingress": "receive", "Egress": "send"}

subject(inert) := sprintf("its %s rules have no effect", [inert.field]) if inert.rules > 0

subject(inert) := sprintf("its empty %s isolates nobody", [inert.field]) if inert.rules == 0

reason(inert) := sprintf("policyTypes names %s alone", [text.joined(" and ", inert.types)]) if count(inert.types) > 0

reason(inert) := "without policyTypes an empty list is no rule" if count(inert.types) == 0
