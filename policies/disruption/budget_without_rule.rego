# METADATA
# title: Budget that says no number
# description: |
#   With neither minAvailable nor maxUnavailable a budget is accepted, and refuses every eviction.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   equivalents: [kube-score:poddisruptionbudget-has-policy]
package policies.disruption.budget_without_rule

import data.lib.budgets

deny contains object.union(finding, budgets.fix("let one pod go at a time")) if {
	budgets.budget.rule == ""
	count(budgets.budget.covers) > 0
	finding := {
		"path": ["spec"],
		"message": "says neither minAvailable nor maxUnavailable: every eviction is refused",
		"evidence": budgets.budget.evidence,
	}
}
