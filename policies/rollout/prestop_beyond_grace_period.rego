# METADATA
# title: Hook that takes all of the grace period
# description: |
#   The preStop hook and the shutdown after it share terminationGracePeriodSeconds. A hook that sleeps as
#   long leaves nothing: the container is killed in the midst of its requests.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout]
package policies.rollout.prestop_beyond_grace_period

import data.lib.probes
import data.lib.workload
import data.lib.written

default grace := 30

grace := workload.pod.terminationGracePeriodSeconds if is_number(workload.pod.terminationGracePeriodSeconds)

deny contains finding if {
	some container in probes.containers
	seconds := slept(container.spec.lifecycle.preStop)
	seconds >= grace
	finding := {
		"path": array.concat(container.path, ["lifecycle", "preStop"]),
		"anchor": workload.name(container),
		"message": sprintf(
			"container '%s' sleeps for %v s before it stops, and is killed after %v s",
			[workload.name(container), seconds, grace],
		),
		"fix": {
			"title": "leave as long for its requests as the default does",
			"safety": "safe",
			"patch": [{
				"op": "add",
				"path": array.concat(workload.pod_path, ["terminationGracePeriodSeconds"]),
				"value": seconds + 30,
			}],
		},
	}
}

slept(hook) := hook.sleep.seconds if is_number(hook.sleep.seconds)

# sleep 30; or sh -c "sleep 30" and what comes after it.
slept(hook) := max(found) if {
	found := {to_number(match[1]) |
		some word in [concat(" ", [part | some part in written.list(hook, ["exec", "command"]); is_string(part)])]
		some match in regex.find_all_string_submatch_n(`(?:^|[ /;&])sleep ([0-9]{1,5})(?:$|[ ;&])`, word, -1)
	}
	count(found) > 0
}
