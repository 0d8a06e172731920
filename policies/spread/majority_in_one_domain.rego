# METADATA
# title: Majority in one of two domains
# description: |
#   Over two zones or racks, one always holds a majority of the members: its loss stops all writing,
#   however they are spread. A third domain, for one member alone, mends that; nothing else does.
# related_resources:
#   - https://etcd.io/docs/latest/faq/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [StatefulSet]
#   facts: [single]
package policies.spread.majority_in_one_domain

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.majority
	finding := object.union(scheduling.found(case), {
		"message": sprintf("over two %ss, one always holds %d of its %d members: the loss of that one stops all", [case.level, case.quorum, case.members]),
	})
}
