# METADATA
# title: Request that no node can hold
# description: |
#   The pod asks for more than the largest node has, even when nothing else is on it: it stays pending
#   until somebody adds a larger node. Counted are containers, sidecars, the neediest init container
#   and the overhead.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.capacity.larger_than_any_node

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.too_large
	finding := object.union(scheduling.found(case), {
		"message": sprintf("asks for %s, which is more than any of %s has", [case.needs[0], scheduling.nodes(case.nodes)]),
	})
}
