# METADATA
# title: Leaves for pods of higher priority
# description: |
#   When room is short after a loss, the scheduler evicts pods of lower priority for those of a higher
#   one; a budget is kept only where that is possible. A Service leads to these pods, and a replay of
#   the loss ends with them evicted.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [standings]
package policies.capacity.leaves_for_others

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.standings.preempted
	finding := object.union(scheduling.found(case), {
		"message": sprintf("after the loss of %s it loses %s to %s, which has a higher priority", [case.domain, scheduling.pods(case.count), case.other]),
	})
}
