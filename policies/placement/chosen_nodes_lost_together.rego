# METADATA
# title: All nodes that a pod may run on are lost together
# description: |
#   The node selector or node affinity leaves the pods only nodes of one rack or zone, or one node. When
#   that is lost they find no other, although there are nodes elsewhere.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [losses]
package policies.placement.chosen_nodes_lost_together

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.losses.choice
	finding := object.union(scheduling.found(case), {
		"message": sprintf(
			"after the loss of %s, %d of its %d pods find no node: it selects no nodes elsewhere",
			[case.domain, case.stuck, case.replicas],
		),
	})
}
