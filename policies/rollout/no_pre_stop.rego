# METADATA
# title: Stopped while requests still come
# description: |
#   A pod is told to stop at the same time as all nodes are told to send it nothing more: requests of the
#   next seconds find nobody, unless the program goes on for a while. A preStop hook that sleeps gives
#   that time. Whether the program does so by itself cannot be seen, so that strict alone asks.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
#   - https://github.com/kubernetes/kubernetes/issues/20473
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [serving]
#   equivalents: [datree:CONTAINERS_MISSING_PRESTOP_HOOK]
package policies.rollout.no_pre_stop

import data.lib.probes
import data.lib.workload

# The sleep action is on by default since 1.30, and stable since 1.34: https://kep.k8s.io/3960
sleep_since := 130

deny contains object.union(finding, fix(container)) if {
	some container in probes.containers
	container.path[count(container.path) - 1] in serving
	container.list == "containers"
	not container.spec.lifecycle.preStop
	finding := {
		"path": container.path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' may stop while its Service still sends it requests: it has no preStop hook", [workload.name(container)]),
	}
}

serving := {index |
	some port in input.facts.serving.ports
	some index in port.containers
}

fix(container) := {"fix": {
	"title": "go on for five seconds",
	"safety": "safe",
	"patch": [{"op": "add", "path": array.concat(container.path, ["lifecycle", "preStop"]), "value": {"sleep": {"seconds": 5}}}],
}} if input.kubernetes >= sleep_since

fix(_) := {} if input.kubernetes < sleep_since
