# METADATA
# title: Minimum of domains that a loss undoes
# description: |
#   With minDomains a hard constraint counts an empty domain more as long as there are fewer domains than
#   that. Once one is lost, every other takes no more pods than maxSkew, and the pods of the lost one
#   stay pending. Some want just that: then waive it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/3022-min-domains-in-pod-topology-spread
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [spreading]
package policies.spread.minimum_after_loss

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.minimum_after_loss
	fix := scheduling.patched(case, "drop the minimum of domains", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {"message": message(case)})
}

message(case) := sprintf(
	"after the loss of %s, %d of its %d pods would stay pending: fewer than minDomains %d of %s are left",
	[case.domain, case.stuck, case.replicas, case.minimum, case.key],
) if {
	case.domain
}

message(case) := sprintf(
	"once one of %d domains of %s is lost, the others take %d of its %d pods: minDomains is not met any more",
	[case.minimum, case.key, case.room, case.replicas],
) if {
	not case.domain
}
