# METADATA
# title: Topology key that no node has
# description: |
#   Rules over a node label that no node has mean nothing: a hard spread or a required affinity leaves
#   the pods pending, an anti-affinity keeps nobody away, and a wish does nothing. There is no
#   standard label for racks: it has to be put on the nodes.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.missing_topology_key

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.missing_key
	finding := object.union(scheduling.found(case), {
		"message": sprintf("none of %s that it may run on has the label %s", [scheduling.nodes(case.nodes), case.key]),
	})
}
