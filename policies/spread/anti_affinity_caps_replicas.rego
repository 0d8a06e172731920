# METADATA
# title: Anti-affinity that caps the replicas
# description: |
#   With a required anti-affinity against themselves, no two pods share a domain: there are never more
#   of them than nodes, racks or zones that they may be on. The rest stays pending, now or when the
#   autoscaler asks for its most. A spread constraint, or a preferred anti-affinity, keeps them apart
#   without that end.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
package policies.spread.anti_affinity_caps_replicas

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.apart
	finding := object.union(scheduling.found(case), {
		"message": sprintf("its anti-affinity leaves nodes for %d of %d pods%s", [case.placed, case.wanted, case.when]),
	})
}
