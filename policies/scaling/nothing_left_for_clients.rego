# METADATA
# title: Scaled to nothing while others wait for it
# description: |
#   A ScaledObject without minReplicaCount leaves no pod when its trigger is silent. Workloads that
#   ask it by its Service then find nobody: a queue wakes it up, a call does not. A fallback, or one
#   replica at least, does.
# related_resources:
#   - https://keda.sh/docs/latest/reference/scaledobject-spec/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [ScaledObject]
#   facts: [scaled_to_nothing]
package policies.scaling.nothing_left_for_clients

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.scaled_to_nothing
	finding := object.union(scheduling.found(case), {
		"message": sprintf("leaves no pod of %s when its trigger is silent, and %s asks it", [case.target, case.client]),
	})
}
