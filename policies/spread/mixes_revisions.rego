# METADATA
# title: Spread that a rollout undoes
# description: |
#   During a rolling update old and new pods count together. The new ones go where the old ones are
#   few, and once those are gone they are uneven: two replicas over two domains may end in one. With
#   the hash of the template among matchLabelKeys each revision is spread by itself.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#topologyspreadconstraints-field
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/3243-respect-pod-topology-spread-after-rolling-upgrades
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Deployment, Rollout]
#   facts: [spreading]
package policies.spread.mixes_revisions

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.mixes_revisions
	fix := scheduling.patched(case, "spread each revision by itself", "safe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf(
			"the constraint over %s counts old and new pods together: after a rollout its %d replicas may be uneven; %s is not among matchLabelKeys",
			[case.key, case.replicas, case.label],
		),
	})
}
