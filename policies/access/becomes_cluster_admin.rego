# METADATA
# title: Workload that leads to every right
# description: |
#   Whoever breaks into a workload holds the token of its account, and from there whatever that leads
#   to, step by step: pods that run as other accounts, their tokens, Secrets, nodes, bindings, roles.
#   Told is the shortest way to every right in the cluster. High where it passes others and only what
#   was read; medium where the account itself has every right, which is told of its binding, or where
#   it passes accounts that an API server makes for itself, as those of its controllers. `auditor
#   access paths` shows them all.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   facts: [takeover]
#   equivalents:
#     - kubescape:C-0267
#     - kubescape:C-0272
#     - kubescape:C-0053
package policies.access.becomes_cluster_admin

deny contains finding if {
	takeover := input.facts.takeover
	finding := {
		"path": ["metadata", "name"],
		"severity": grade(takeover),
		"message": sprintf("leads whoever breaks into it to every right in the cluster: %s", [takeover.way]),
		"evidence": [step | some step in takeover.steps; step.object != null],
	}
}

grade(takeover) := "medium" if is_less(takeover)

grade(takeover) := "high" if not is_less(takeover)

is_less(takeover) if takeover.granted

is_less(takeover) if takeover.assumed
