# METADATA
# title: One pod with a disk of its own
# description: |
#   A disk that one node alone mounts allows one pod. When its node stops answering, the pod of a
#   StatefulSet is not started elsewhere before somebody deletes it or its node, and that of a
#   Deployment waits until the disk is let go: five minutes to evict, six more to detach. Replication
#   inside the application, or a priority and a shorter toleration, bound that time.
# related_resources:
#   - https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [single]
package policies.spread.bound_single_pod

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.held
	finding := object.union(scheduling.found(case), {
		"message": "its one pod holds a disk that one node mounts: when that node is lost, nothing bounds the time until it runs again",
	})
}
