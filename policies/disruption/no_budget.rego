# METADATA
# title: Replicas without a disruption budget
# description: |
#   A drain evicts all pods of a node at once, and several nodes may be drained at the same time: without
#   a budget nothing keeps some of the pods until others are ready again.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
# custom:
#   severity: low
#   profile: recommended
#   fix: generated
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [guarded]
#   admission: grace
#   equivalents:
#     - polaris:missingPodDisruptionBudget
#     - kube-score:deployment-has-poddisruptionbudget
#     - kube-score:statefulset-has-poddisruptionbudget
#     - popeye:POP-206
#     - kics:deployment_without_pod_disruption_budget
#     - kics:statefulset_without_pod_disruption_budget
#     - kyverno:require-pdb
#     - kyverno:create-default-pdb
package policies.disruption.no_budget

deny contains finding if {
	guarded := input.facts.guarded
	guarded.served != ""
	guarded.replicas > 1
	count(guarded.budgets) == 0
	guarded.spare
	finding := {
		"path": ["spec"],
		"message": sprintf("no budget keeps any of its %d pods %s while nodes are drained", [guarded.replicas, guarded.served]),
		"fix": {"title": "let one pod go at a time", "safety": "safe", "synthesize": "guard"},
	}
}
