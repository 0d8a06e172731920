# METADATA
# title: DaemonSet whose new pod finds its port taken
# description: |
#   With maxSurge the new pod comes beside the old one on the same node. A port of the node can be there
#   once: the new pod waits for ever, and the old one for it.
# related_resources:
#   - https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [DaemonSet]
#   facts: [daemon]
package policies.rollout.daemon_set_surge_blocked

daemon := input.facts.daemon

deny contains finding if {
	daemon.surge > 0
	not daemon.on_delete
	daemon.port != null
	finding := {
		"path": ["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
		"message": sprintf("its updates never end: maxSurge wants a second pod on each node, and port %d of the node is taken", [daemon.port]),
		"fix": {
			"title": "let the old pod go first",
			"safety": "unsafe",
			"patch": [
				{"op": "replace", "path": ["spec", "updateStrategy", "rollingUpdate", "maxSurge"], "value": 0},
				{"op": "add", "path": ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], "value": 1},
			],
		},
	}
}
