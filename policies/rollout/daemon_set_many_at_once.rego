# METADATA
# title: DaemonSet that leaves many nodes at once
# description: |
#   An update takes the pods of so many nodes away at once as maxUnavailable says, rounded up. What a node
#   cannot do without meanwhile (its network, its volumes, its logs) is missing on all of them.
# related_resources:
#   - https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [DaemonSet]
#   facts: [daemon]
package policies.rollout.daemon_set_many_at_once

daemon := input.facts.daemon

deny contains finding if {
	not daemon.on_delete
	daemon.written
	daemon.away > 1
	daemon.away * 2 >= of
	of > 1
	finding := {
		"path": ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
		"message": sprintf("its updates take the pods of %s away at once", [many]),
		"severity": severity,
		"fix": {
			"title": "one node after the other",
			"safety": "safe",
			"patch": [{
				"op": "replace",
				"path": ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
				"value": 1,
			}],
		},
	}
}

# Without nodes a share is told as it is.
of := daemon.desired if daemon.desired != null

of := 100 if daemon.desired == null

many := sprintf("%d of its %d nodes", [daemon.away, of]) if daemon.desired != null

many := sprintf("%d%% of its nodes", [daemon.away]) if daemon.desired == null

default severity := "low"

severity := "medium" if daemon.critical
