# METADATA
# title: Room that nothing can use
# description: |
#   Of one resource half is free, and of the other less than any pod asks for: nothing can be placed
#   there any more. Requests of another shape, or other nodes, make that room usable.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Node]
#   facts: [node_load]
package policies.capacity.stranded

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.node_load.stranded
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%s of %s is free and nothing can use it: %s of %s is left, less than any pod asks for", [case.free, case.plenty, case.left, case.scarce]),
	})
}
