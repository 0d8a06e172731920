# METADATA
# title: Topology key that some nodes lack
# description: |
#   Some of the nodes that the pods may run on lack a label that a rule is about. A hard spread never
#   uses them, an anti-affinity does not see who is there, and none of the two counts them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.partial_topology_key

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.partial_key
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%d of %s that it may run on lack the label %s", [case.lacking, scheduling.nodes(case.nodes), case.key]),
	})
}
