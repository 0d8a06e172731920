# METADATA
# title: Spread constraints that stand in each other's way
# description: |
#   Several hard constraints, each of which can be kept, cannot be kept together where domains are of
#   different size: spread over zones evenly, and over nodes evenly, are two aims. Make one a must and
#   the other a wish.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
package policies.spread.crossed_constraints

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.crossed
	finding := object.union(scheduling.found(case), {
		"message": sprintf("its hard spread constraints together leave nodes for %d of %d pods%s, one alone for all", [case.placed, case.wanted, case.when]),
	})
}
