# METADATA
# title: Shares the users of its node
# description: |
#   With hostUsers: false the users of a pod, root included, are nobody on the node: most ways out of a
#   container then lead nowhere. Asked since 1.33, where it is on by default, of pods that may have it:
#   those in a namespace of the node and those with raw devices may not.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     It needs a recent kernel, runtime and file system on every node, and images whose files belong to
#     users that the mapping covers.
#   fix: deterministic
#   equivalents: [kubesec:HostUsers]
package policies.workload.no_user_namespace

import data.lib.workload

path := array.concat(workload.pod_path, ["hostUsers"])

deny contains finding if {
	input.kubernetes >= 133
	not workload.own_users
	not workload.windows
	not in_host_namespace
	not has_devices
	finding := {
		"path": place,
		"message": "shares the users of its node: hostUsers is not false",
		"fix": {
			"title": "give it users of its own",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": path, "value": false}],
		},
	}
}

place := path if workload.pod.hostUsers == true

place := workload.pod_path if not workload.pod.hostUsers == true

in_host_namespace if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	workload.pod[field] == true
}

has_devices if {
	some container in workload.containers
	is_array(container.spec.volumeDevices)
	count(container.spec.volumeDevices) > 0
}
