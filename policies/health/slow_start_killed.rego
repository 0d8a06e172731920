# METADATA
# title: Killed before it is ready
# description: |
#   Without a startup probe the liveness probe runs from the start. Where it gives up before the
#   readiness probe asks for the first time, whoever wrote the two expects a start that takes longer than
#   the container is given: it is restarted for ever.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-startup-probes
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout]
package policies.health.slow_start_killed

import data.lib.probes
import data.lib.workload

deny contains finding if {
	some container in probes.containers
	probes.has(container, "livenessProbe")
	probes.has(container, "readinessProbe")
	not probes.has(container, "startupProbe")
	patience := probes.patience(container.spec.livenessProbe)
	first := probes.number(container.spec.readinessProbe, "initialDelaySeconds", 0)
	patience <= first
	finding := {
		"path": array.concat(container.path, ["livenessProbe"]),
		"anchor": workload.name(container),
		"message": sprintf(
			"container '%s' is restarted %v s after its start at the latest, and asked only after %v s whether it is ready",
			[workload.name(container), patience, first],
		),
	}
}
