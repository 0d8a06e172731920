# METADATA
# title: Two autoscalers of one workload
# description: |
#   Each sets the number of replicas that it wants, and undoes what the other did.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HorizontalPodAutoscaler]
#   facts: [autoscaling]
package policies.scaling.second_autoscaler

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.autoscaling.two
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%s is scaled by %s as well: each undoes what the other does", [case.target, case.other]),
	})
}
