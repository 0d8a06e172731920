# METADATA
# title: Pods under two budgets
# description: |
#   The API server refuses to evict a pod that two budgets cover, with an internal error, even where both
#   would allow it and whatever unhealthyPodEvictionPolicy says: a drain ends there.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
#   - https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/storage/eviction.go
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   equivalents: [popeye:POP-209]
package policies.disruption.two_budgets

import data.lib.budgets

deny contains finding if {
	some other in budgets.budget.others
	finding := {
		"path": ["spec", "selector"],
		"anchor": other.name,
		"message": sprintf("covers pods of %s, which budget %s covers too: every eviction fails", [other.workload, other.name]),
		"evidence": [{"message": "covers them too", "object": other.object, "path": ["spec", "selector"]}],
	}
}
