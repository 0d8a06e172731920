# METADATA
# title: Starts with sudo
# description: |
#   A command that begins with sudo makes root of a process that was not, and needs an image in which
#   everybody may do so: whoever breaks in may as well. Where it has to be root, the manifest can say so.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   equivalents: [kubescape:C-0062]
package policies.workload.sudo_in_command

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	some field in ["command", "args"]
	is_array(container.spec[field])
	some index, word in container.spec[field]
	is_string(word)
	calls_sudo(word)
	finding := {
		"path": array.concat(container.path, [field, index]),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' calls sudo in its %s", [workload.name(container), field]),
	}
}

calls_sudo(word) if word in {"sudo", "/usr/bin/sudo", "/bin/sudo"}

# In a line of a shell, where a command can stand.
calls_sudo(word) if {
	some line in split(word, "\n")
	regex.match(`(^|[;&|(])[ ]*(/usr/bin/|/bin/)?sudo[ ]`, line)
}
