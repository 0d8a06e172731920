# METADATA
# title: Even number of members that vote
# description: |
#   Members that decide by majority bear the loss of fewer than half of them. An even number bears no
#   more losses than one member fewer, and costs one more vote for each decision.
# related_resources:
#   - https://etcd.io/docs/latest/faq/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [StatefulSet]
#   facts: [single]
package policies.spread.even_number_of_members

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.even_votes
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%d members need %d for a majority, and bear the loss of %d: one fewer bears as many", [case.members, case.quorum, case.bears]),
	})
}
