# METADATA
# title: Update that waits for a person
# description: |
#   With OnDelete a new template reaches a pod only once somebody deletes it: after a restart of one node
#   two versions run side by side, and a fix of a vulnerability is not rolled out. Operators that delete
#   pods themselves, in an order of their own, want it so.
# related_resources:
#   - https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/#daemonset-update-strategy
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [StatefulSet, DaemonSet]
package policies.rollout.on_delete

import data.lib.written

deny contains finding if {
	input.object.spec.updateStrategy.type == "OnDelete"
	count(written.list(input.object.metadata, "ownerReferences")) == 0
	finding := {
		"path": ["spec", "updateStrategy", "type"],
		"message": "a new template reaches a pod only once somebody deletes it: updateStrategy is OnDelete",
		"fix": {
			"title": "replace the pods one after the other",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["spec", "updateStrategy", "type"], "value": "RollingUpdate"}],
		},
	}
}
