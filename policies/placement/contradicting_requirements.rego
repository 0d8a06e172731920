# METADATA
# title: Requirements that no node meets together
# description: |
#   Each of these is met by some node, and no node meets all of them: the pods stay pending. Told are
#   as few of the requirements as suffice for that, with the nodes that meet each.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.contradicting_requirements

import data.lib.scheduling
import data.lib.text

deny contains finding if {
	some case in input.facts.choices.jointly
	finding := object.union(scheduling.found(case), {
		"message": sprintf("none of %s meets these together: %s", [scheduling.nodes(case.nodes), text.joined("; ", case.needs)]),
	})
}
