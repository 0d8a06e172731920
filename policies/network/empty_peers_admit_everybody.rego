# METADATA
# title: Empty list of peers
# description: |
#   In a rule, an empty `from` or `to` means everybody, as if the field were not there: every pod of the
#   cluster, and every address. Most often the list was filled by a template or a script that found
#   nobody. To admit nobody, leave the rule out; to admit everybody, leave the field out, so that the
#   next reader sees that it was meant.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
package policies.network.empty_peers_admit_everybody

import data.lib.netpol

deny contains finding if {
	some open in input.facts.policy_rules.everybody
	open.empty
	finding := {
		"path": open.path,
		"anchor": netpol.rule(open.path),
		"message": sprintf("the empty '%s' of %s means everybody and not nobody: %s on %s", [
			open.field, netpol.rule(open.path), netpol.pods_do(open.direction), open.ports,
		]),
	}
}
