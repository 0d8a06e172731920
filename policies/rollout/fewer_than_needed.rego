# METADATA
# title: Update that leaves fewer than needed
# description: |
#   While it is updated, a Deployment may lose as many pods as its strategy says, rounded down, all at
#   once; a StatefulSet loses one at a time. What is left has to carry the load. How many are needed is said by the annotation
#   `auditor/needs`, else reckoned from the load that an autoscaler keeps, from the majority of a system
#   of consensus, or taken to be one.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet]
#   facts: [update]
package policies.rollout.fewer_than_needed

import data.lib.updates

deny contains object.union(finding, updates.fix("keep as many as are needed")) if {
	update := updates.update
	update.replicas > 1
	not update.recreate
	update.lowest < update.needed
	finding := {
		"path": update.path,
		"message": sprintf(
			"its updates may go down to %d available of %d, and it needs %d, %s",
			[update.lowest, update.replicas, update.needed, update.needed_why],
		),
		"severity": severity,
	}
}

# Nothing is left, and somebody asks.
default severity := "low"

severity := "medium" if {
	updates.update.lowest == 0
	updates.update.served != ""
}
