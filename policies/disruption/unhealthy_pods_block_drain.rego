# METADATA
# title: Unready pods that block a drain
# description: |
#   By default a pod that runs and is not ready may only be evicted while enough others are: one that
#   crashes again and again, and serves nobody, keeps its node from being drained. AlwaysAllow lets it go.
#   Not told of what keeps data, or decides by majority: there an unready pod may hold the last copy.
# related_resources:
#   - https://kep.k8s.io/3017
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [PodDisruptionBudget]
#   facts: [budget]
#   near: [kube-linter:pdb-unhealthy-pod-eviction-policy]
package policies.disruption.unhealthy_pods_block_drain

import data.lib.budgets

deny contains finding if {
	input.kubernetes >= 127
	count(budgets.budget.covers) > 0
	not budgets.budget.always
	not budgets.budget.data
	finding := {
		"path": ["spec"],
		"message": "a pod that is not ready may keep its node from being drained: unhealthyPodEvictionPolicy is not AlwaysAllow",
		"fix": {
			"title": "always let unready pods go",
			"safety": "safe",
			"patch": [{"op": "add", "path": ["spec", "unhealthyPodEvictionPolicy"], "value": "AlwaysAllow"}],
		},
	}
}
