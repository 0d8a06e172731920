# METADATA
# title: Hard spread over domains that are lost
# description: |
#   A topology spread constraint counts the nodes that the pods do not tolerate unless it says
#   `nodeTaintsPolicy: Honor`. The nodes of a zone that is lost or drained stay, tainted and empty, and
#   as long as they do every other domain takes no more pods than maxSkew: the pods of the lost one
#   stay pending although there is room. Where nodes are known, told only if a replay of the loss of a
#   domain ends so.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-scheduling/3094-pod-topology-spread-considering-taints
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [spreading]
package policies.spread.counts_lost_domains

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.taints_ignored
	fix := scheduling.patched(case, "leave out nodes that the pods do not tolerate", "safe")
	finding := object.union(object.union(scheduling.found(case), fix), {"message": message(case)})
}

message(case) := sprintf(
	"after the loss of %s, %d of its %d pods would stay pending: the lost nodes still count for the constraint over %s, as an empty domain",
	[case.domain, case.stuck, case.replicas, case.key],
) if {
	case.domain
}

message(case) := sprintf(
	"while the nodes of one %s are lost or tainted they still count: every other takes at most %s then, and the rest of its %d stays pending",
	[case.key, scheduling.pods(case.skew), case.replicas],
) if {
	not case.domain
}
