# METADATA
# title: Evicted pod that finds no other node
# description: |
#   A drain closes the node and evicts its pods. Where no other node takes what comes in their place, the
#   workload goes on with fewer until the node is back, and its budget then stops the drain of the next.
#   Where something adds nodes by itself that is not told.
# related_resources:
#   - https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [evicted]
package policies.disruption.evicted_pod_fits_nowhere

evicted := input.facts.evicted

deny contains finding if {
	finding := {
		"path": evicted.path,
		"message": sprintf(
			"while a node is drained, what comes in the place of %d of its %d pods has none to go to: %s; %d are left, and %d are needed, %s",
			[evicted.bound, evicted.pods, evicted.why, evicted.left, evicted.needed, evicted.needed_why],
		),
		"severity": severity,
	}
}

severity := "medium" if evicted.left < evicted.needed

severity := "info" if evicted.left >= evicted.needed
