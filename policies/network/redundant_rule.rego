# METADATA
# title: Rule that changes nothing
# description: |
#   Rules of NetworkPolicies only add to one another. One that admits nobody beside those whom another
#   rule admits already has no effect: it can be left out, and whoever believes that it restricts
#   somebody is wrong.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: low
#   fix: deterministic
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
package policies.network.redundant_rule

import data.lib.netpol

deny contains finding if {
	some shadow in input.facts.policy_rules.redundant
	finding := {
		"path": shadow.path,
		"anchor": netpol.rule(shadow.path),
		"message": sprintf("%s changes nothing: %s %s", [netpol.rule(shadow.path), other(shadow), verb(shadow)]),
		"evidence": [{
			"message": sprintf("this rule %s", [verb(shadow)]),
			"object": shadow.object,
			"path": shadow.by,
		}],
		"fix": fix(shadow),
	}
}

other(shadow) := netpol.rule(shadow.by) if shadow.own

other(shadow) := sprintf("%s of NetworkPolicy %s", [netpol.rule(shadow.by), shadow.name]) if not shadow.own

verb(shadow) := "admits the same" if shadow.same

verb(shadow) := "admits everybody to the same ports" if {
	shadow.everybody
	not shadow.same
}

verb(shadow) := "admits all of that and more" if {
	not shadow.everybody
	not shadow.same
}

# Which of the two was meant, only their author knows: where they are not the same, the other one may
# be too wide.
fix(shadow) := {
	"title": "leave the rule out",
	"safety": "safe",
	"patch": [{"op": "remove", "path": shadow.path}],
} if {
	shadow.own
	shadow.same
}

fix(shadow) := {"title": "leave one of the rules out", "safety": "manual"} if not exact(shadow)

exact(shadow) if {
	shadow.own
	shadow.same
}
