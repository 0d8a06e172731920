# METADATA
# title: Selector that its own pods do not meet
# description: |
#   The API server refuses a controller whose selector does not match the labels of its template.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet]
#   facts: [overlap]
#   equivalents: [kube-linter:mismatching-selector, kube-score:deployment-pod-selector-labels-match-template-metadata-labels]
package policies.rollout.selector_misses_template

deny contains finding if {
	input.facts.overlap.misses
	finding := {
		"path": ["spec", "selector"],
		"message": "the API server refuses it: its selector does not match the labels of its own pods",
	}
}
