# METADATA
# title: No version to go back to
# description: |
#   With revisionHistoryLimit 0 no earlier revision is kept: `kubectl rollout undo` finds none, and a bad
#   version stays until the good one is built and sent again.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#revision-history-limit
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet]
package policies.rollout.no_rollback

deny contains finding if {
	input.object.spec.revisionHistoryLimit == 0
	finding := {
		"path": ["spec", "revisionHistoryLimit"],
		"message": "keeps no earlier revision to go back to: revisionHistoryLimit is 0",
		"fix": {
			"title": "keep ten, as by default",
			"safety": "safe",
			"patch": [{"op": "replace", "path": ["spec", "revisionHistoryLimit"], "value": 10}],
		},
	}
}
