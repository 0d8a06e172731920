# What policies on updates have in common.
package lib.updates

# What the next update of a Deployment passes through.
update := input.facts.update

# A change of the strategy, where there is one whose conditions hold.
fix(title) := {"fix": {"title": title, "safety": "unsafe", "patch": update.steps}} if count(update.steps) > 0

fix(_) := {} if count(update.steps) == 0

# Recreate takes no numbers beside it.
recreating := array.concat(without_numbers, [{"op": "add", "path": ["spec", "strategy", "type"], "value": "Recreate"}])

without_numbers := [{"op": "remove", "path": ["spec", "strategy", "rollingUpdate"]}] if has_numbers

without_numbers := [] if not has_numbers

has_numbers if input.object.spec.strategy.rollingUpdate
