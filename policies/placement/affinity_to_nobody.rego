# METADATA
# title: Required affinity to pods that are not there
# description: |
#   A required pod affinity is met only by nodes in whose domain there is a pod that all of its terms
#   mean. Where there is none, and the pod does not mean itself, it stays pending. Nothing is said where
#   the pods may be in what was not read.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
#   admission: grace
package policies.placement.affinity_to_nobody

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.means_nobody
	finding := object.union(scheduling.found(case), {"message": message(case.terms)})
}

message(1) := "has to be near to pods that nobody makes, and so never finds a node"

message(terms) := sprintf("has to be near to pods that %d terms mean at once, which nobody makes, and so never finds a node", [terms]) if terms > 1
