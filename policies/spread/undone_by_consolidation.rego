# METADATA
# title: Wish to spread beside an autoscaler that packs
# description: |
#   An autoscaler of nodes that consolidates looks for nodes whose pods fit elsewhere, and a wish to
#   spread does not stop it: it packs what the scheduler spread, which spreads again when nodes are
#   added.
# related_resources:
#   - https://karpenter.sh/docs/concepts/disruption/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Packing is what many pay for, and a wish is what they meant: a must would cost nodes.
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [spreading]
package policies.spread.undone_by_consolidation

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.consolidated
	finding := object.union(scheduling.found(case), {
		"message": sprintf("spreads over %s by a wish, and NodePool %s packs pods together again", [case.key, case.pool]),
	})
}
