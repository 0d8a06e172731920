# METADATA
# title: Autoscaler that has nothing to decide
# description: |
#   The fewest and the most replicas are the same number: the autoscaler holds the number and never
#   scales.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
#   equivalents:
#     - polaris:hpaMaxAvailability
#     - gatekeeper:horizontalpodautoscaler
package policies.scaling.fixed

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.fixed
	finding := object.union(scheduling.found(case), {
		"message": sprintf("the fewest and the most replicas are %d: it never scales", [case.replicas]),
	})
}
