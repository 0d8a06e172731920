# METADATA
# title: Budget that covers no pod
# description: |
#   No pod of the namespace has the labels that it asks for, or it has no selector at all, which selects
#   nothing: whoever wrote it believes something to be protected that is not.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   admission: grace
#   equivalents: [popeye:POP-900]
package policies.disruption.budget_selects_nothing

import data.lib.budgets

deny contains finding if {
	budgets.budget.lonely
	finding := {"path": path, "message": sprintf("%s, so that it protects nothing", [why])}
}

path := ["spec"] if budgets.budget.selects == "nothing"

path := ["spec", "selector"] if budgets.budget.selects != "nothing"

why := "has no selector" if budgets.budget.selects == "nothing"

why := "no pod of its namespace has these labels" if budgets.budget.selects == "some"

why := "there is no pod in its namespace" if budgets.budget.selects == "everything"
