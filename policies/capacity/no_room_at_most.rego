# METADATA
# title: No room for the replicas that may be asked for
# description: |
#   Beside what runs there, the nodes have no room for as many pods as are written, or as the
#   autoscaler may ask for under load: just then the rest stays pending. Nothing is said where an
#   autoscaler of nodes runs, which may add some.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
#   equivalents:
#     - popeye:POP-602
#     - popeye:POP-603
#     - popeye:POP-604
#     - popeye:POP-605
package policies.capacity.no_room_at_most

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.room
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%d of %d pods find room%s", [case.placed, case.wanted, case.when]),
	})
}
