# METADATA
# title: Own constraints, and none over nodes
# description: |
#   The scheduler spreads the pods of a controller over nodes and zones by itself, as a wish. A pod with a
#   constraint of its own loses that: spread over zones alone, its replicas may share one node of a zone.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#internal-default-constraints
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [spreading]
package policies.spread.defaults_dropped

import data.lib.scheduling
import data.lib.text

deny contains finding if {
	some case in input.facts.spreading.defaults_dropped
	finding := object.union(scheduling.found(case), {
		"message": sprintf(
			"spreads its %d replicas over %s and not over nodes: the scheduler's own wish to do so is dropped, and several may share a node",
			[case.replicas, text.joined(", ", case.keys)],
		),
	})
}
