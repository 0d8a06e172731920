# METADATA
# title: Spread constraint that counts no pod
# description: |
#   A topology spread constraint counts the pods that its labelSelector means. One that is missing or
#   empty counts none, so that every domain looks empty and none is ever too full: the constraint
#   spreads nothing, and only keeps pods from nodes that lack its label.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [spreading]
#   equivalents:
#     - kube-score:pod-topology-spread-constraints
package policies.spread.selects_nothing

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.selects_nothing
	fix := scheduling.patched(case, "count the pods of this workload", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("the constraint over %s has no effect: %s, and so it counts no pod%s", [case.key, case.written, proof(case)]),
	})
}

proof(case) := "" if case.same == 0

proof(case) := sprintf("; without it, the scheduler puts its %s on the same nodes", [scheduling.pods(case.same)]) if case.same > 0
