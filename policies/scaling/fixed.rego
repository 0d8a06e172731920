# METADATA
# title: Autoscaler that has nothing to decide
# description: |
#   The fewest and the most replicas are the same number: the autoscaler holds the number and never
#   scales. Where the most are fewer than the fewest, an API server refuses it.
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
		"message": message(case),
	})
}

message(case) := sprintf("the fewest and the most replicas are %d: it never scales", [case.replicas]) if not case.inverted

message(case) := sprintf("the most replicas are fewer than the fewest, %d: an API server refuses it", [case.replicas]) if case.inverted
