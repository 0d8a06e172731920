# METADATA
# title: New pods that are watched too shortly
# description: |
#   A new pod counts as available once it has been ready for minReadySeconds, which have whole seconds: 2
#   can be over after little more than one. What fails after that is not given back: the update goes on,
#   and takes the old pods that worked. The readiness probe needs failureThreshold times periodSeconds to
#   notice a failure at all, so that less is no watch.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#min-ready-seconds
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Deployment, DaemonSet, StatefulSet]
#   facts: [serving]
package policies.rollout.watched_too_shortly

import data.lib.probes

deny contains finding if {
	is_object(input.object.spec)
	seconds := object.get(input.object.spec, "minReadySeconds", 0)
	noticed := slowest
	seconds <= noticed
	finding := object.union(
		{
			"path": ["spec", "minReadySeconds"],
			"message": sprintf("a new pod is watched for %s, and its readiness probe takes %v s to notice a failure", [watched(seconds), noticed]),
		},
		unless_too_long(noticed + 1),
	)
}

unless_too_long(seconds) := {"fix": {
	"title": "watch it until a failure is noticed",
	"safety": "safe",
	"patch": [{"op": "add", "path": ["spec", "minReadySeconds"], "value": seconds}],
}} if not is_too_long(seconds)

unless_too_long(seconds) := {} if is_too_long(seconds)

# The API server takes none that is not below the deadline, which is for its author to move.
is_too_long(seconds) if {
	input.object.kind == "Deployment"
	seconds >= deadline
}

default deadline := 600

deadline := input.object.spec.progressDeadlineSeconds if is_number(input.object.spec.progressDeadlineSeconds)

slowest := max({seconds |
	some container in probes.containers
	probes.has(container, "readinessProbe")
	seconds := probes.notice(container.spec.readinessProbe)
})

watched(seconds) := "no time" if seconds == 0

watched(seconds) := sprintf("as little as %v s", [seconds - 1]) if seconds > 0
