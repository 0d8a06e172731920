# METADATA
# title: Selector that its own pods do not meet
# description: |
#   The API server refuses a controller whose selector does not match the labels of its template.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet]
#   facts: [overlap]
#   equivalents: [kube-linter:mismatching-selector, kube-score:deployment-pod-selector-labels-match-template-metadata-labels]
package policies.rollout.selector_misses_template

deny contains finding if {
	input.facts.overlap.misses
	finding := object.union(
		{
			"path": ["spec", "selector"],
			"message": "the API server refuses it: its selector does not match the labels of its own pods",
		},
		unless_expressed,
	)
}

# A selector that cannot be changed later is what to keep. Which of several values an expression
# means, only its author knows.
unless_expressed := {"fix": {
	"title": "give its pods the labels that it selects",
	"safety": "unsafe",
	"patch": [step |
		some name in object.keys(labels)
		step := {"op": "add", "path": ["spec", "template", "metadata", "labels", name], "value": labels[name]}
	],
}} if not is_expressed

unless_expressed := {} if is_expressed

is_expressed if {
	is_array(input.object.spec.selector.matchExpressions)
	count(input.object.spec.selector.matchExpressions) > 0
}

default labels := {}

labels := input.object.spec.selector.matchLabels if is_object(input.object.spec.selector.matchLabels)
