# METADATA
# title: Autoscaler without a request to measure by
# description: |
#   A utilisation is a share of what is requested. Where a container of the pods requests none, the
#   autoscaler cannot work it out, and scales nothing at all. The default of a LimitRange counts.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
package policies.scaling.no_request

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.no_request
	finding := object.union(scheduling.found(case), {
		"message": sprintf("scales by %s of the %s requested, and container '%s' of %s requests none: it does nothing", [case.share, case.resource, case.container, case.target]),
	})
}
