# METADATA
# title: DaemonSet that fits no node
# description: |
#   No node admits its pods, by node selector, affinity and taints. Where there are any from before, an
#   update deletes all of them at once, whatever maxUnavailable says, and counts as complete with none.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#how-daemon-pods-are-scheduled
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [DaemonSet]
#   facts: [daemon]
package policies.rollout.daemon_set_fits_no_node

daemon := input.facts.daemon

deny contains finding if {
	daemon.desired == 0
	finding := {
		"path": ["spec", "template", "spec"],
		"message": sprintf("fits none of the %d nodes: %s, and the update counts as complete", [daemon.nodes, what]),
		"severity": severity,
	}
}

what := "it gets no pod" if daemon.pods == 0

what := sprintf("all of its %d pods are deleted at once", [daemon.pods]) if daemon.pods > 0

severity := "low" if daemon.pods == 0

severity := "high" if daemon.pods > 0
