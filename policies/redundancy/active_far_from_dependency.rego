# METADATA
# title: The standby is near the dependency, and the active one is not
# description: |
#   Of two pods that take turns, the one that works asks a dependency in another rack on every call,
#   while the one that only stands by is in the same rack as it. To switch over costs one interruption.
#   What runs in several racks itself is not meant.
# related_resources:
#   - https://kubernetes.io/docs/concepts/architecture/leases/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   facts: [pair]
#   admission: grace
package policies.redundancy.active_far_from_dependency

import data.lib.text

deny contains finding if {
	some far in input.facts.pair.far
	finding := {
		"path": input.facts.pair.path,
		"anchor": far.dependency,
		"message": sprintf(
			"active %s is %d hops from %s in rack %s, and its standby %s would be %d: switch over",
			[text.joined(", ", input.facts.pair.active), far.hops, far.dependency, far.rack, far.standby, far.near],
		),
		"evidence": input.facts.pair.evidence,
	}
}
