# METADATA
# title: Rights added to a default role
# description: |
#   The label aggregate-to-view, -edit or -admin adds the rules of a ClusterRole to that default role:
#   to everybody who is bound to it, in whichever namespace, today and later. Told where it adds what
#   that role does not give by itself: to read Secrets or to start pods for view, to raise rights for
#   any. High where it gives every right.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [ClusterRole]
#   facts: [role_use]
package policies.access.adds_to_default_role

import data.lib.text

deny contains finding if {
	use := input.facts.role_use
	use.everything != null
	finding := {
		"path": ["rules", use.everything],
		"message": sprintf("adds to %s, for everybody who is bound to it: every right", [text.joined(" and ", use.into)]),
	}
}

deny contains finding if {
	use := input.facts.role_use
	use.everything == null
	count(use.adds) > 0
	adds := sort([power.rights | some power in use.adds])
	first := min([power.rule | some power in use.adds])
	finding := {
		"path": ["rules", first],
		"severity": "medium",
		"message": sprintf("adds to %s, for everybody who is bound to it: %s", [
			text.joined(" and ", use.into),
			text.joined(", ", adds),
		]),
	}
}
