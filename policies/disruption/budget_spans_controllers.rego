# METADATA
# title: Budget over several controllers
# description: |
#   What a share or maxUnavailable is of, is the sum of all that the selector meets: one of the
#   controllers may lose every pod while another makes up the number.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
package policies.disruption.budget_spans_controllers

import data.lib.budgets

deny contains finding if {
	count(budgets.budget.controllers) > 1
	budgets.budget.allowed > 1
	finding := {
		"path": ["spec", "selector"],
		"message": sprintf(
			"%s is of %d pods of %d controllers together: all of one of them may go",
			[budgets.budget.rule, budgets.budget.pods, count(budgets.budget.controllers)],
		),
		"evidence": budgets.budget.evidence,
	}
}
