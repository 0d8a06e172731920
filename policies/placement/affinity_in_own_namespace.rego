# METADATA
# title: Affinity that means its own namespace only
# description: |
#   A term of an affinity that names no namespace means pods of its own. Those that it seems to mean are
#   in another one: a required term is never met then, and a preferred one does nothing.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#namespace-selector
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [affinity_terms]
package policies.placement.affinity_in_own_namespace

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.affinity_terms.other_namespace
	fix := scheduling.patched(case, "name the namespace of the pods", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("means no pod: it looks in namespace %s only, and %s is in another", [case.namespace, case.other]),
	})
}
