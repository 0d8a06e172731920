# METADATA
# title: Nothing keeps replicas apart
# description: |
#   Without a topology spread constraint or an anti-affinity, all replicas may run on one node. The
#   scheduler's own wish to spread them is weak: it gives way to a fuller node or a cached image. Told
#   where no nodes are known; else `spread/shared_failure_domain` says what a loss would take.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [shared]
#   equivalents:
#     - kube-linter:no-anti-affinity
#     - kube-score:deployment-has-host-podantiaffinity
#     - kube-score:statefulset-has-host-podantiaffinity
#     - kube-score:pod-topology-spread-constraints
#     - polaris:topologySpreadConstraint
#     - kics:deployment_has_no_pod_anti_affinity
#     - kics:statefulset_has_no_pod_anti_affinity
#     - kyverno:create-pod-antiaffinity
#     - kyverno:spread-pods-across-topology
#     - kyverno:topologyspreadconstraints-policy
package policies.spread.not_spread

deny contains finding if {
	some case in input.facts.shared.unspread
	finding := {
		"path": case.path,
		"message": sprintf("nothing keeps its %d replicas apart: all of them may run on one node", [case.replicas]),
	}
}
