# METADATA
# title: Scaled by what another autoscaler changes
# description: |
#   A VerticalPodAutoscaler sets the request of the resource whose share decides how many pods there
#   are: more pods use less each, which lowers the request, which asks for more pods. Let one of them
#   go by another metric, or the vertical one only recommend.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/autoscaling/vertical-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
package policies.scaling.sized_and_scaled

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.both_ways
	finding := object.union(scheduling.found(case), {
		"message": sprintf("scales %s by %s of its %s request, which VerticalPodAutoscaler %s changes", [case.target, case.share, case.resource, case.other]),
	})
}
