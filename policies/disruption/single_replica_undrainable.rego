# METADATA
# title: Single pod that may not be evicted
# description: |
#   A budget over one pod that lets none go does not keep it available: it makes every drain of its node
#   wait for a person. A second replica, or a documented window, is what helps.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
#   - https://github.com/kubernetes/kubernetes/issues/66811
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   equivalents:
#     - kube-linter:pdb-max-unavailable
#     - kube-linter:pdb-min-available
#     - polaris:pdbDisruptionsIsZero
package policies.disruption.single_replica_undrainable

import data.lib.budgets

deny contains finding if {
	budgets.nothing_may_go
	budgets.budget.pods == 1
	not budgets.budget.wanted
	finding := {
		"path": budgets.budget.path,
		"message": sprintf("%s over %s: its node cannot be drained while it runs", [budgets.budget.rule, budgets.replicas]),
		"evidence": budgets.budget.evidence,
	}
}
