# METADATA
# title: Preference that changes nothing
# description: |
#   A preferred node affinity is one score among several: with a low weight, free room and cached
#   images count for more. The nodes that it likes were to be had, no pod is put on any of them, and
#   without the preference each goes to the same node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [standings]
package policies.placement.preference_without_effect

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.standings.swamped
	finding := object.union(scheduling.found(case), {
		"message": sprintf("prefers %s that could take its pods, and none of %d is put there: without the preference they go to the same nodes", [scheduling.nodes(case.liked), case.pods]),
	})
}
