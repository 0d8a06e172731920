# METADATA
# title: All replicas bound to the node of one pod
# description: |
#   With a required affinity over nodes to a workload of one replica, all pods have to be on its node: no
#   more of them run than that node has room for, and all die with it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
package policies.placement.bound_to_one_pod

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.one_node
	finding := object.union(scheduling.found(case), {
		"message": sprintf("all of its up to %d replicas have to be on the one node of %s, and die with it", [case.replicas, case.target]),
	})
}
