# METADATA
# title: Autoscaler that goes down to one
# description: |
#   When little is asked, the autoscaler leaves one pod of what a Service leads to. With it gone,
#   nobody answers until another has started.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
#   equivalents:
#     - polaris:hpaMinAvailability
#     - kube-score:horizontalpodautoscaler-replicas
#     - gatekeeper:horizontalpodautoscaler
#   near: [kube-linter:hpa-minimum-three-replicas]
package policies.scaling.one_at_least

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.one_at_least
	finding := object.union(scheduling.found(case), {
		"message": sprintf("leaves one pod of %s when little is asked", [case.target]),
	})
}
