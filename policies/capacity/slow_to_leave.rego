# METADATA
# title: Pods that leave slowly
# description: |
#   A pod that is being deleted holds its room until it has ended. With a long grace period the pods
#   of a rollout wait for that room, unless there is twice as much.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, Rollout]
#   facts: [standings]
package policies.capacity.slow_to_leave

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.standings.slow_to_leave
	finding := object.union(scheduling.found(case), {
		"message": sprintf("each of its %s may hold its room for %d seconds more while new ones wait", [scheduling.pods(case.pods), case.seconds]),
	})
}
