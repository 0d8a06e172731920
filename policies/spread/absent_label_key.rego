# METADATA
# title: Match label key that its pods never have
# description: |
#   matchLabelKeys names a label that the controller of another kind writes. On these pods it never is,
#   and the scheduler ignores it: revisions are not told apart. StatefulSets and DaemonSets write
#   controller-revision-hash, Deployments pod-template-hash.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#topologyspreadconstraints-field
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [spreading]
package policies.spread.absent_label_key

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.absent_label_key
	fix := scheduling.patched(case, "name the label of this kind", "safe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("matchLabelKeys of the constraint over %s names %s, which no pod of a %s has: it is ignored", [case.key, case.label, case.kind]),
	})
}
