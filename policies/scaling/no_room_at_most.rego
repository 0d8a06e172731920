# METADATA
# title: Autoscaler that asks for more than fits
# description: |
#   Beside what runs there, not all of the most pods that it may ask for find a node: under the load
#   for which they are meant, the rest stays pending. Nothing is said where an autoscaler of nodes
#   runs, which may add some.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
#   equivalents:
#     - popeye:POP-602
#     - popeye:POP-603
#     - popeye:POP-604
#     - popeye:POP-605
package policies.scaling.no_room_at_most

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.no_room
	finding := object.union(scheduling.found(case), {
		"message": sprintf("of up to %d pods of %s, %d find a node", [case.most, case.target, case.placed]),
	})
}
