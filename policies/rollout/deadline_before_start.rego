# METADATA
# title: Deadline before the pods can start
# description: |
#   progressDeadlineSeconds, 600 where it is not said, is how long an update may go on without progress
#   until it is reported as failed. Where a container may take longer to start, by its own startup probe,
#   a pipeline rolls back what only was slow.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment]
package policies.rollout.deadline_before_start

import data.lib.probes
import data.lib.workload

default deadline := 600

deadline := input.object.spec.progressDeadlineSeconds if is_number(input.object.spec.progressDeadlineSeconds)

default ready := 0

ready := input.object.spec.minReadySeconds if is_number(input.object.spec.minReadySeconds)

deny contains finding if {
	some container in probes.containers
	probes.has(container, "startupProbe")
	seconds := probes.patience(container.spec.startupProbe) + ready
	deadline <= seconds
	finding := {
		"path": ["spec", "progressDeadlineSeconds"],
		"anchor": workload.name(container),
		"message": sprintf(
			"its updates count as failed after %v s without progress, and container '%s' may take %v s to start",
			[deadline, workload.name(container), seconds],
		),
		"fix": {
			"title": "wait for the slowest start, and ten minutes more",
			"safety": "safe",
			"patch": [{"op": "add", "path": ["spec", "progressDeadlineSeconds"], "value": seconds + 600}],
		},
	}
}
