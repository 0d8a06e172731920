# METADATA
# title: Each has to start after the other
# description: |
#   Two workloads require each other by affinity, and neither means itself. As long as one runs nobody
#   notices; after an outage of both, neither finds a node any more.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
package policies.placement.affinity_in_a_circle

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.circle
	finding := object.union(scheduling.found(case), {
		"message": sprintf("has to be near to %s, which has to be near to it: after an outage of both, neither starts", [case.other]),
	})
}
