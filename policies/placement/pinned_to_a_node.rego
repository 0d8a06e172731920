# METADATA
# title: Template bound to one node by name
# description: |
#   The pods run on the one node that is named, or not at all: when it is drained, replaced or lost
#   they stay pending, and with nodeName the scheduler does not even ask whether there is room. A rack
#   or zone selector leaves a choice. Nothing is said of pods with a volume, which may be on that
#   node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.pinned_to_a_node

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.pinned
	finding := object.union(scheduling.found(case), {
		"message": sprintf("may run on node %s only: with it gone, its pods find no other", [case.node]),
	})
}
