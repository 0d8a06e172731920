# What policies on workloads ask of the prepared input.
package lib.workload

# Every container of every list, with its path from the top of the object:
# {"list": "initContainers", "path": [...], "spec": {...}}
containers := input.workload.containers

# The pod specification, and where it stands.
pod := input.workload.pod

pod_path := input.workload.path

# The annotations of the pods, and where they stand: beside the pod specification.
annotations_path := array.concat(array.slice(pod_path, 0, count(pod_path) - 1), ["metadata", "annotations"])

annotations := found if {
	found := object.get(input.object, annotations_path, {})
	is_object(found)
}

volumes := pod.volumes if is_array(pod.volumes)

# The name of a container or a volume as it is written; without one, what kind of thing it is (with
# the substring for the sake of regopy: see text.joined).
name(container) := named(container.spec, container.list)

named(thing, _) := thing.name if is_string(object.get(thing, "name", null))

named(thing, kind) := substring(kind, 0, -1) if not is_string(object.get(thing, "name", null))

# Every security context that is written, that of the pod first. What the pod says holds for each
# container that does not say otherwise.
contexts := array.concat(of_the_pod, of_containers)

of_the_pod := [context |
	is_object(pod.securityContext)
	context := {
		"anchor": "",
		"who": "the pod",
		"path": array.concat(pod_path, ["securityContext"]),
		"spec": pod.securityContext,
	}
]

of_containers := [context |
	some container in containers
	is_object(container.spec.securityContext)
	context := {
		"anchor": name(container),
		"who": sprintf("container '%s'", [name(container)]),
		"path": array.concat(container.path, ["securityContext"]),
		"spec": container.spec.securityContext,
	}
]

# Where something is missing from the security context of a container, as far as that is written.
place(container) := array.concat(container.path, ["securityContext"]) if has_context(container)

place(container) := container.path if not has_context(container)

# A rule of its own, since to OPA `not is_object(…)` of what is missing is no answer.
has_context(container) if is_object(container.spec.securityContext)

privileged(container) if container.spec.securityContext.privileged == true

# The API server refuses Linux settings on pods for Windows, and the standards ask them of none
# since 1.25. What an older standard asks of such a pod has no fix.
windows if pod.os.name == "windows"

exempt_windows if {
	windows
	input.kubernetes >= 125
}

unless_windows(fix) := {"fix": fix} if not windows

unless_windows(_) := {} if windows

# The users of the pod are nobody on the node: https://kep.k8s.io/127
own_users if pod.hostUsers == false

# Since 1.35 the standards count that as a protection.
protected_by_own_users if {
	own_users
	input.kubernetes >= 135
}

# Containers that see all of /proc.
unmasked := [container |
	some container in containers
	mount := container.spec.securityContext.procMount
	mount != null
	mount != "Default"
]
