# METADATA
# title: Requirement that no node meets
# description: |
#   A node selector, a required node affinity or a missing toleration leaves not one of the nodes that
#   are known: the pods stay pending. Nothing is said where an autoscaler of nodes runs, which may add
#   some.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.no_node_fits

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.no_node
	finding := object.union(scheduling.found(case), {
		"message": sprintf("none of %s has %s: its pods find no node", [scheduling.nodes(case.nodes), case.needs[0]]),
	})
}
