# METADATA
# title: Budget that cannot be worked out
# description: |
#   A share in per cent, and maxUnavailable, are of the number that the pods' controller says it wants. A
#   DaemonSet, a Job or a custom kind without the scale subresource says none: the budget fails to
#   synchronise, and every eviction is refused for ever. Pods that nothing controls count as none
#   expected, which allows none to go. An integer minAvailable works for all of them.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/configure-pdb/#arbitrary-controllers-and-selectors
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
package policies.disruption.budget_without_scale

import data.lib.budgets

deny contains finding if {
	some name in budgets.budget.scaleless
	finding := {
		"path": budgets.budget.path,
		"anchor": name,
		"message": sprintf(
			"%s of %s, which has no scale: the budget cannot be worked out, and every eviction is refused",
			[budgets.budget.rule, name],
		),
		"evidence": budgets.budget.evidence,
	}
}

# Nothing but bare pods: none is expected, so that none may go.
deny contains finding if {
	budgets.expects_none
	budgets.budget.rule != ""
	finding := {
		"path": budgets.budget.path,
		"message": sprintf(
			"%s of %d pods that nothing controls: none is expected, so that none may go",
			[budgets.budget.rule, budgets.budget.pods],
		),
		"evidence": budgets.budget.evidence,
	}
}
