# METADATA
# title: Deployment that is paused
# description: |
#   While it is paused no change of its template is rolled out: a fix that everybody believes to be there
#   is not.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
package policies.rollout.paused

deny contains finding if {
	input.object.spec.paused == true
	finding := {
		"path": ["spec", "paused"],
		"message": "no change of its template is rolled out: it is paused",
		"fix": {
			"title": "go on",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": ["spec", "paused"]}],
		},
	}
}
