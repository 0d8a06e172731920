# METADATA
# title: Spread that a scale-down does not keep
# description: |
#   Spreading rules are read when a pod is placed, not when one is given up: an autoscaler that goes down
#   may leave all pods in one zone, and the loss of that zone leaves fewer than are needed. A Deployment
#   for each zone, or a descheduler that evens it out, keeps them apart.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#known-limitations
#   - https://github.com/kubernetes/kubernetes/issues/124149
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [Deployment]
#   facts: [scale_down]
package policies.spread.uneven_after_scale_down

import data.lib.text

found := input.facts.scale_down

deny contains finding if {
	finding := {
		"path": found.path,
		"message": sprintf(
			"going down from %d pods to %d may leave them %s over its zones: the loss of one leaves %d, of which %d are needed, %s",
			[found.before, found.after, left, found.lost, found.needed, found.needed_why],
		),
		"evidence": [{"message": "scales it down", "object": found.object, "path": ["spec"]}],
	}
}

left := text.joined("-", [sprintf("%d", [count]) | some count in found.left])
