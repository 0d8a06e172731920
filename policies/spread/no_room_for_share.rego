# METADATA
# title: Domain without room for its share
# description: |
#   A hard spread constraint fills all domains evenly. Once the smallest has no room left, no other
#   may take more, and pods stay pending although there is room elsewhere.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
package policies.spread.no_room_for_share

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.skew
	finding := object.union(scheduling.found(case), {
		"message": sprintf("its spread constraints leave nodes for %d of %d pods%s: the fullest domain has no room for its share", [case.placed, case.wanted, case.when]),
	})
}
