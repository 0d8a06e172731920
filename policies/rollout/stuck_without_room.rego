# METADATA
# title: Update that finds no room
# description: |
#   With maxUnavailable 0 an old pod goes only once a new one is available beside it. A share is rounded
#   down, so that the default of 25% means 0 for up to 3 replicas. Where the new pod finds no node, the
#   update never ends: the old version goes on, and nobody is told. One pod per node on as many nodes as
#   replicas is the usual case; matchLabelKeys [pod-template-hash] in the anti-affinity avoids it, but has
#   to be rolled out itself.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#max-unavailable
#   - https://github.com/kubernetes/kubernetes/issues/116891
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
#   facts: [update]
package policies.rollout.stuck_without_room

import data.lib.updates

deny contains object.union(finding, updates.fix("let an old pod leave first")) if {
	stuck := updates.update.stuck
	stuck != null
	finding := {
		"path": updates.update.path,
		"message": sprintf(
			"its next update %s stuck with %d old pods available and %d new pending: maxUnavailable is 0, and %s",
			[verb(stuck), stuck.available, stuck.waiting, stuck.why],
		),
		"severity": severity(stuck),
	}
}

verb(stuck) := "ends" if stuck.certain

verb(stuck) := "can end" if not stuck.certain

# Something may add the node that is missing.
severity(stuck) := "low" if stuck.makers

severity(stuck) := "medium" if not stuck.makers
