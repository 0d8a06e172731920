# METADATA
# title: Served without a readiness probe
# description: |
#   A pod counts as ready as soon as its containers run: a Service sends it requests before it can
#   answer, and an update replaces all old pods by new ones that never do. Asked of the containers that
#   a Service leads to; of a port that no container declares, any container's probe will do.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [serving]
#   equivalents:
#     - kubescape:C-0018
#     - checkov:CKV_K8S_9
#     - kube-linter:no-readiness-probe
#     - polaris:readinessProbeMissing
#     - kube-score:pod-probes
#     - popeye:POP-104
#     - kics:readiness_probe_is_not_configured
#     - kyverno:require-pod-probes
#     - gatekeeper:requiredprobes
#     - prowler:core_readiness_probe_configured
package policies.health.no_readiness_probe

import data.lib.probes
import data.lib.text
import data.lib.workload
import data.lib.written

deny contains finding if {
	some container in unready
	finding := {
		"path": container.path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' has no readiness probe, and Service %s leads to it", [
			workload.name(container),
			text.joined(", ", input.facts.serving.services),
		]),
	}
}

# Those that answer at a port which they declare.
deny contains finding if {
	nobody_answers
	written.size(workload.pod.containers) > 1
	finding := {
		"path": array.concat(workload.pod_path, ["containers"]),
		"message": sprintf("no container has a readiness probe, and Service %s leads to one of them", [
			text.joined(", ", input.facts.serving.services),
		]),
	}
}

unready contains container if {
	some served in input.facts.serving.ports
	some index in served.containers
	some container in probes.containers
	container.list == "containers"
	container.path[count(container.path) - 1] == index
	not probes.has(container, "readinessProbe")
}

# The only one, where it does not declare the port.
unready contains container if {
	nobody_answers
	written.size(workload.pod.containers) == 1
	some container in probes.containers
	container.list == "containers"
}

# Which one answers where nobody declares the port cannot be told.
nobody_answers if {
	some served in input.facts.serving.ports
	count(served.containers) == 0
	not anybody_is_asked
}

anybody_is_asked if {
	some container in probes.containers
	probes.has(container, "readinessProbe")
}
