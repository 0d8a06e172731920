# Capabilities that containers add to what the container runtime gives them.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.capabilities

# What container runtimes give by default, less NET_RAW: level Baseline lets them be added.
default_set := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

# Each of them alone leads out of the container: to the kernel, to the files of the node or to the
# memory of other processes. See capabilities(7).
node_wide := {
	"ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "PERFMON", "SYS_ADMIN",
	"SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO",
}

# Every capability that a container adds, with its path.
added contains capability if {
	some container in data.lib.workload.containers
	list := container.spec.securityContext.capabilities.add
	is_array(list)
	some index, name in list
	capability := {
		"name": name,
		"container": container,
		"path": array.concat(list_path(container), [index]),
		"anchor": sprintf("%s/%v", [data.lib.workload.name(container), name]),
	}
}

list_path(container) := array.concat(container.path, ["securityContext", "capabilities", "add"])

# The prefix is not part of the name, but runtimes understand it.
is_node_wide(name) if bare(name) in node_wide

bare(name) := trim_prefix(upper(name), "CAP_") if is_string(name)

# The whole list at once: several fixes of one list are the same step.
keeping(container, allowed) := {"op": "remove", "path": list_path(container)} if {
	count(kept(container, allowed)) == 0
}

keeping(container, allowed) := step if {
	left := kept(container, allowed)
	count(left) > 0
	step := {"op": "replace", "path": list_path(container), "value": left}
}

kept(container, allowed) := [name |
	some name in container.spec.securityContext.capabilities.add
	name in allowed
]

# Whoever administers the system needs no setuid program, and cannot be kept from one.
administers(container) if {
	is_array(container.spec.securityContext.capabilities.add)
	some name in container.spec.securityContext.capabilities.add
	bare(name) in {"ALL", "SYS_ADMIN"}
}

# Once privileged or SYS_ADMIN is gone, beside which the API server refuses it, a process can be kept
# from gaining privileges: otherwise the fix of one fault would show the next.
no_escalation(container) := [{
	"op": "add",
	"path": array.concat(container.path, ["securityContext", "allowPrivilegeEscalation"]),
	"value": false,
}]
