# METADATA
# title: Single replica that leaves before its successor
# description: |
#   With one replica and maxUnavailable 1 (or maxSurge 0, which comes to the same) each update is a gap:
#   the only pod may go before the new one is ready. Where two pods can be there at once, maxSurge 1 and
#   maxUnavailable 0 avoid it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
#   facts: [update]
package policies.rollout.gap_of_single_replica

import data.lib.updates

deny contains object.union(finding, updates.fix("start the new pod first")) if {
	update := updates.update
	update.replicas == 1
	not update.recreate
	update.lowest == 0
	update.served != ""
	count(update.exclusive) == 0
	finding := {
		"path": update.path,
		"message": sprintf("its only pod %s may go before the new one is ready: each update is a gap", [update.served]),
	}
}
