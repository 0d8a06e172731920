# METADATA
# title: Busy beside idle nodes
# description: |
#   This node uses more than four fifths of a resource while others use less than a third of all of
#   theirs: pods were placed by what they ask for, or before the others were there.
# related_resources:
#   - https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Node]
#   facts: [node_load]
#   equivalents:
#     - popeye:POP-709
#     - popeye:POP-710
package policies.capacity.uneven_nodes

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.node_load.busy
	finding := object.union(scheduling.found(case), {
		"message": sprintf("uses %d%% of its %s beside %s that use little", [case.percent, case.resource, scheduling.nodes(case.idle)]),
	})
}
