# METADATA
# title: Memory limits beyond what the node has
# description: |
#   Limits above requests let containers use memory that is not kept for them. On this node the limits
#   add up to half as much again as there is: when many use theirs at once, some are killed, whoever
#   they are.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Node]
#   facts: [node_load]
package policies.capacity.memory_overcommitted

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.node_load.overcommitted
	finding := object.union(scheduling.found(case), {
		"message": sprintf("memory limits of its %s add up to %d%% of what it has", [scheduling.pods(case.pods), case.percent]),
	})
}
