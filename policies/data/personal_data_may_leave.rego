# METADATA
# title: Personal data may leave the cluster
# description: |
#   Whoever breaks into a workload that holds personal data has to get the data out. Where its pods may
#   send to the internet, or to wide ranges in which anybody may be, nothing stops that. Rules for
#   outgoing traffic that name DNS and whom it really asks close the way; that names are asked for
#   everywhere is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-egress-traffic
# custom:
#   severity: medium
#   profile: strict
#   waivable: central
#   fix: generated
#   facts: [leaving]
package policies.data.personal_data_may_leave

import data.lib.personal
import data.lib.text

deny contains finding if {
	leaving := input.facts.leaving
	finding := {
		"path": personal.place(leaving),
		"message": sprintf("holds %s, and may send to %s%s", [personal.said(leaving), whereto(leaving), because(leaving)]),
		"evidence": array.concat(reasons(leaving), ranges(leaving)),
		"fix": {
			"title": "let it out to whom it is known to ask",
			"safety": safety(leaving),
			"synthesize": "contain",
		},
	}
}

whereto(leaving) := sprintf("the internet on %s", [leaving.internet.ports]) if leaving.internet.ports != ""

whereto(leaving) := sprintf("whoever is in %s", [text.joined(", ", [range.cidr | some range in leaving.ranges])]) if leaving.internet.ports == ""

# Rules that let it out already have to be narrowed by somebody who knows what they are for.
safety(leaving) := "manual" if leaving.isolated

safety(leaving) := "safe" if not leaving.isolated

because(leaving) := "" if leaving.isolated

because(leaving) := ", since no NetworkPolicy isolates it on its way out" if not leaving.isolated

reasons(leaving) := [place |
	some reason in leaving.internet.reasons
	reason.object != null
	place := {"message": reason.message, "object": reason.object, "path": reason.path}
]

ranges(leaving) := [place |
	some range in leaving.ranges
	place := {
		"message": sprintf("lets it out to %s on %s", [range.cidr, range.ports]),
		"object": range.object,
		"path": range.path,
		"anchor": range.cidr,
	}
]
