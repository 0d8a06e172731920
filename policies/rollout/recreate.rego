# METADATA
# title: Update that stops everything first
# description: |
#   With strategy Recreate all old pods are deleted before the first new one is made: whoever asks in
#   between gets no answer, for as long as the old take to stop and the new to become ready. Not told
#   where two pods cannot be there at once: then the gap is the price.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#recreate-deployment
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
#   facts: [update]
#   equivalents:
#     - kubescape:C-0305
#     - kube-linter:no-rolling-update-strategy
#     - kube-score:deployment-strategy
package policies.rollout.recreate

import data.lib.updates

deny contains finding if {
	update := updates.update
	update.recreate
	update.served != ""
	count(update.exclusive) == 0
	finding := {
		"path": ["spec", "strategy", "type"],
		"message": sprintf("each update stops all %d pods %s before a new one starts", [
			update.replicas,
			update.served,
		]),
		"fix": {
			"title": "replace the pods one after the other",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["spec", "strategy", "type"], "value": "RollingUpdate"}],
		},
	}
}
