# METADATA
# title: Anti-affinity without effect
# description: |
#   An anti-affinity keeps away the pods that its labelSelector means. It means none, not even the pods
#   that have it: nothing keeps the replicas apart. Most often a label is written in another way.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
#   equivalents:
#     - kube-score:deployment-has-host-podantiaffinity
#     - kube-score:statefulset-has-host-podantiaffinity
package policies.placement.anti_affinity_to_nobody

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.keeps_nobody_away
	fix := scheduling.patched(case, "keep its own pods apart", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("the anti-affinity over %s has no effect: it means no pod, not even its own", [case.key]),
	})
}
