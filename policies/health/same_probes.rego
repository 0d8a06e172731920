# METADATA
# title: Liveness as strict as readiness
# description: |
#   Where both probes ask the same and give up after the same time, a pod that is too busy to answer is
#   not spared, as readiness means it, but restarted: load moves on to the others, which fail next. The
#   same question is fine where liveness is more patient.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout]
#   equivalents: [kube-score:pod-probes-identical, kyverno:ensure-probes-different]
package policies.health.same_probes

import data.lib.probes
import data.lib.workload

deny contains finding if {
	some container in probes.containers
	liveness := container.spec.livenessProbe
	readiness := container.spec.readinessProbe
	is_object(liveness)
	is_object(readiness)
	question(liveness) == question(readiness)
	probes.notice(liveness) <= probes.notice(readiness)
	path := array.concat(container.path, ["livenessProbe"])
	finding := {
		"path": path,
		"anchor": workload.name(container),
		"message": sprintf(
			"container '%s' is restarted after %v s without an answer, no later than it is taken from its Service: both probes ask the same",
			[workload.name(container), probes.notice(liveness)],
		),
		"fix": {
			"title": "be three times as patient before a restart",
			"safety": "safe",
			"patch": [{
				"op": "add",
				"path": array.concat(path, ["failureThreshold"]),
				"value": ceil((3 * probes.notice(readiness)) / probes.number(liveness, "periodSeconds", 10)),
			}],
		},
	}
}

# Headers apart: they may hold credentials, which nobody is told of a running object.
question(probe) := {key: object.remove(probe[key], ["httpHeaders"]) |
	some key in {"httpGet", "tcpSocket", "exec", "grpc"}
	is_object(probe[key])
}
