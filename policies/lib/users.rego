# Who containers run as, and who keeps them from being root.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.users

# The user that the manifest gives a container; undefined where the image decides.
user(container) := container.spec.securityContext.runAsUser if has_own(container)

user(container) := id if {
	not has_own(container)
	id := data.lib.workload.pod.securityContext.runAsUser
	is_number(id)
}

has_own(container) if is_number(container.spec.securityContext.runAsUser)

# A user other than root is given, so that the kubelet has nothing to find out.
is_other(container) if user(container) != 0

# workload/runs_as_root_user has it already; the standards ask for it since 1.23.
is_told(container) if {
	input.kubernetes >= 123
	user(container) == 0
}

# Whatever does not say runAsNonRoot: true where it should. A pod that says it is not the case is
# told once, not for each of its containers.
faults contains fault if {
	not data.lib.workload.protected_by_own_users
	data.lib.workload.pod.securityContext.runAsNonRoot == false
	path := array.concat(data.lib.workload.pod_path, ["securityContext", "runAsNonRoot"])
	fault := {
		"who": "a container of the pod",
		"anchor": "",
		"path": path,
		"field": path,
		"why": "the pod says runAsNonRoot: false",
		"containers": silent,
	}
}

faults contains fault if {
	not data.lib.workload.protected_by_own_users
	some container in data.lib.workload.containers
	container.spec.securityContext.runAsNonRoot == false
	path := field(container)
	fault := {
		"who": sprintf("container '%s'", [data.lib.workload.name(container)]),
		"anchor": data.lib.workload.name(container),
		"path": path,
		"field": path,
		"why": "it says runAsNonRoot: false",
		"containers": [container],
	}
}

faults contains fault if {
	not data.lib.workload.protected_by_own_users
	not pod_says
	some container in silent
	fault := {
		"who": sprintf("container '%s'", [data.lib.workload.name(container)]),
		"anchor": data.lib.workload.name(container),
		"path": data.lib.workload.place(container),
		"field": field(container),
		"why": "nothing says runAsNonRoot: true",
		"containers": [container],
	}
}

# The containers for which the pod speaks.
silent := [container |
	some container in data.lib.workload.containers
	not says(container)
]

pod_says if is_boolean(data.lib.workload.pod.securityContext.runAsNonRoot)

says(container) if is_boolean(container.spec.securityContext.runAsNonRoot)

field(container) := array.concat(container.path, ["securityContext", "runAsNonRoot"])
