# What policies on disruption budgets have in common.
package lib.budgets

budget := input.facts.budget

nothing_may_go if {
	budget.allowed == 0
	budget.rule != ""
	not expects_none
}

# Of pods that nothing controls none is expected, unless an integer says how many.
expects_none if {
	count(budget.bare) > 0
	budget.allowed == 0
	not is_number(object.get(input.object, ["spec", "minAvailable"], null))
}

# How many pods there are, and who says so.
replicas := sprintf("%d pods", [budget.pods]) if {
	budget.pods > 1
	budget.scaled_by == ""
}

replicas := "1 pod" if {
	budget.pods == 1
	budget.scaled_by == ""
}

replicas := sprintf("the %d that %s goes down to", [budget.pods, budget.scaled_by]) if budget.scaled_by != ""

fix(title) := {"fix": {"title": title, "safety": "unsafe", "patch": budget.steps}} if count(budget.steps) > 0

fix(_) := {} if count(budget.steps) == 0
