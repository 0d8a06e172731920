# METADATA
# title: Budget that allows no disruption
# description: |
#   Even with every pod ready no eviction is granted: a drain of a node waits for ever, and with it an
#   upgrade of the cluster. Shares are rounded up, of minAvailable as well as of maxUnavailable; an
#   autoscaler at its minimum leaves the fewest pods. None may ever go by maxUnavailable 0 or 0%, nor by
#   minAvailable 100%, however many pods there are: that is told even where none of them is seen.
#   Whoever needs all of them says so by `auditor/needs`.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   equivalents:
#     - kube-linter:pdb-max-unavailable
#     - kube-linter:pdb-min-available
#     - polaris:pdbDisruptionsIsZero
#     - polaris:pdbMinAvailableGreaterThanHPAMinReplicas
#     - popeye:POP-901
#     - gatekeeper:poddisruptionbudget
#     - kyverno:pdb-minavailable
#     - kyverno:pdb-maxunavailable
#     - kyverno:require-reasonable-pdbs
#     - kyverno:require-replicas-allow-disruption
#     - kyverno:deployment-replicas-higher-than-pdb
package policies.disruption.budget_allows_nothing

import data.lib.budgets

deny contains object.union(finding, budgets.fix("let one pod go at a time")) if {
	budgets.nothing_may_go
	budgets.budget.pods > 1
	not budgets.budget.wanted
	finding := {
		"path": budgets.budget.path,
		"message": sprintf(
			"%s allows no disruption of %s: no node with one of them can be drained",
			[budgets.budget.rule, budgets.replicas],
		),
		"severity": severity,
		"evidence": budgets.budget.evidence,
	}
}

# Whose pods are not seen here.
deny contains finding if {
	count(budgets.budget.covers) == 0
	not budgets.budget.perhaps
	never
	finding := {
		"path": budgets.budget.path,
		"message": sprintf("%s allows no disruption, however many pods it covers", [budgets.budget.rule]),
		"severity": "low",
	}
}

never if input.object.spec.maxUnavailable in {0, "0%"}

never if input.object.spec.minAvailable == "100%"

# Whoever keeps data may want a person to be there.
severity := "low" if budgets.budget.data

severity := "medium" if not budgets.budget.data
