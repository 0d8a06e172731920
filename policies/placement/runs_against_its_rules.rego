# METADATA
# title: Running against its own rules
# description: |
#   Required rules are asked when a pod is placed, and not again when labels of nodes or pods change,
#   or when others come and go. These pods stand where the scheduler would not put them now: the rule
#   promises what is not so until they are made anew.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [standings]
package policies.placement.runs_against_its_rules

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.standings.drifted
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%d of its %d running pods stand against its own rules, as on %s, which %s", [case.wrong, case.pods, case.node, case.why]),
	})
}
