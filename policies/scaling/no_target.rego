# METADATA
# title: Autoscaler without a target
# description: |
#   The object that the autoscaler names is not there: most often it was renamed. Nothing is scaled.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
#   admission: grace
#   equivalents:
#     - kubescape:C-0300
#     - kube-linter:dangling-horizontalpodautoscaler
#     - kube-score:horizontalpodautoscaler-has-target
#     - popeye:POP-600
#     - kics:hpa_targets_invalid_object
#     - gatekeeper:horizontalpodautoscaler
#     - kyverno:check-hpa-exists
package policies.scaling.no_target

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.no_target
	finding := object.union(scheduling.found(case), {
		"message": sprintf("scales %s, which is not there", [case.target]),
	})
}
