# METADATA
# title: Budget that refuses everything now
# description: |
#   A running budget allows no eviction although its rule would, were all pods ready: a replica that is
#   missing or not ready counts as gone. Until it is back no node with one of the others can be drained.
#   Where the budget cannot be worked out at all, that is said too.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   equivalents: [popeye:POP-901]
package policies.disruption.budget_exhausted

import data.lib.budgets

deny contains finding if {
	now := budgets.budget.now
	now.allowed == 0
	not now.failed
	budgets.budget.allowed > 0
	finding := {
		"path": budgets.budget.path,
		"message": sprintf(
			"refuses every eviction now: %v pods are ready of the %v that have to stay, and with all ready %d might go",
			[now.healthy, now.desired, budgets.budget.allowed],
		),
		"evidence": budgets.budget.evidence,
	}
}

deny contains finding if {
	now := budgets.budget.now
	now.failed
	budgets.budget.allowed != null
	finding := {
		"path": budgets.budget.path,
		"message": "refuses every eviction: the cluster says that it could not work the budget out",
		"evidence": budgets.budget.evidence,
	}
}
