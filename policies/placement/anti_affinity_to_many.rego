# METADATA
# title: Anti-affinity that locks others out
# description: |
#   A required anti-affinity holds in both directions: where a pod with it runs, no pod that it means may
#   start. This one means several other workloads, which can take its nodes from it, and it theirs. Where
#   a node of its own is wanted, a taint says so better.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
package policies.placement.anti_affinity_to_many

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.keeps_others_away
	finding := object.union(scheduling.found(case), {
		"message": sprintf("locks %d other workloads out of every %s that it is on", [case.others, case.key]),
	})
}
