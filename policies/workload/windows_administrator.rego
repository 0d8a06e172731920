# METADATA
# title: Administrator in its Windows container
# description: |
#   ContainerAdministrator may change everything in its container and has the drivers and services of
#   the node's kernel in reach that are kept from ContainerUser: what root is on Linux. HostProcess
#   containers are told by workload/host_process instead.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-runasusername/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   equivalents: [kyverno:require-run-as-containeruser]
package policies.workload.windows_administrator

import data.lib.workload

deny contains finding if {
	some context in workload.contexts
	name := context.spec.windowsOptions.runAsUserName
	is_string(name)
	endswith(lower(name), "containeradministrator")
	not host_process
	finding := {
		"path": array.concat(context.path, ["windowsOptions", "runAsUserName"]),
		"anchor": context.anchor,
		"message": sprintf("%s runs as the administrator of its Windows container", [context.who]),
	}
}

# All containers of a pod are, or none.
host_process if {
	some context in workload.contexts
	context.spec.windowsOptions.hostProcess == true
}
