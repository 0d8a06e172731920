# METADATA
# title: Spread constraint that does not count its own pods
# description: |
#   The labelSelector of a topology spread constraint does not mean the pods that have it. They are not
#   kept apart from each other, but held back where other pods stand unevenly, which they do not mend.
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
package policies.spread.selects_others

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.selects_others
	fix := scheduling.patched(case, "count the pods of this workload", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("the constraint over %s does not count the pods that have it, and so never spreads them", [case.key]),
	})
}
