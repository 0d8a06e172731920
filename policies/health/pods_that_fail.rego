# METADATA
# title: Pods that fail now
# description: |
#   A running pod is not ready, and its container waits for something that does not mend itself: it
#   crashes again and again, or its image or configuration cannot be had. Or the scheduler finds no node.
# related_resources:
#   - https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   facts: [unwell]
#   equivalents: [popeye:POP-203, popeye:POP-204, popeye:POP-207]
package policies.health.pods_that_fail

import data.lib.text

unwell := input.facts.unwell

deny contains finding if {
	count(unwell.failing) > 0
	finding := {
		"path": ["metadata", "name"],
		"anchor": "failing",
		"message": sprintf("%d of %d pods fail: %s", [
			count(unwell.failing),
			unwell.pods,
			text.joined(", ", sort({pod.why | some pod in unwell.failing})),
		]),
		"severity": severity(unwell.failing),
		"evidence": evidence(unwell.failing),
	}
}

deny contains finding if {
	count(unwell.lost) > 0
	finding := {
		"path": ["metadata", "name"],
		"anchor": "lost",
		"message": sprintf("%d of %d pods have no node", [count(unwell.lost), unwell.pods]),
		"severity": severity(unwell.lost),
		"evidence": evidence(unwell.lost),
	}
}

# Where some still work, less is lost.
severity(pods) := "high" if count(pods) == unwell.pods

severity(pods) := "medium" if count(pods) < unwell.pods

evidence(pods) := [found |
	some pod in array.slice(pods, 0, 3)
	found := {"message": pod.message, "object": pod.object, "path": ["status"]}
]
