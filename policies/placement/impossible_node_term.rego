# METADATA
# title: Node selector term that matches no node
# description: |
#   The terms of a node affinity are alternatives, and the expressions of one all count. This one
#   matches no node, whatever labels it has: as the only term it leaves the pods pending, beside
#   others it does nothing.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: essential
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.impossible_node_term

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.impossible
	finding := object.union(scheduling.found(case), {
		"message": sprintf("this alternative never matches: %s", [case.why]),
	})
}
