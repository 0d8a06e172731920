# What policies on placement make of a case that a fact tells.
package lib.scheduling

# Where the finding is, and how grave, as far as the fact says so.
found(case) := {key: case[key] | some key in ["path", "anchor", "severity", "evidence"]; key in object.keys(case)}

# The patch as a fix; none where the fact found that one of its conditions does not hold.
patched(case, title, safety) := {"fix": {"title": title, "safety": safety, "patch": case.patch}} if count(case.patch) > 0

patched(case, _, _) := {} if count(case.patch) == 0

# "1 pod", "3 pods".
pods(1) := "1 pod"

pods(number) := sprintf("%d pods", [number]) if number != 1

# "1 node", "3 nodes".
nodes(1) := "1 node"

nodes(number) := sprintf("%d nodes", [number]) if number != 1
