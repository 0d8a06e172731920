# METADATA
# title: Budget that lets too many go
# description: |
#   Drains may take so many pods at once that fewer are left than are needed: as `auditor/needs` says,
#   as the load wants that an autoscaler keeps, or as a majority of a system of consensus.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
package policies.disruption.budget_weaker_than_needed

import data.lib.budgets

deny contains object.union(finding, budgets.fix("let one pod go at a time")) if {
	weaker := budgets.budget.weaker
	weaker != null
	finding := {
		"path": budgets.budget.path,
		"message": sprintf(
			"%s leaves %d of %d pods, and %d are needed, %s",
			[budgets.budget.rule, weaker.left, budgets.budget.pods, weaker.needed, weaker.why],
		),
		"evidence": budgets.budget.evidence,
	}
}
