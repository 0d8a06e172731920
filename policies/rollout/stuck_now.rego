# METADATA
# title: Update that does not get on
# description: |
#   The Deployment itself says that its update makes no progress: the old version goes on as far as it is
#   left, and the new one is not there.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment]
#   facts: [unwell]
package policies.rollout.stuck_now

deny contains finding if {
	input.facts.unwell.stalled != ""
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("its update makes no progress: %s", [input.facts.unwell.stalled]),
		"evidence": array.slice(input.facts.unwell.told, 0, 3),
	}
}
