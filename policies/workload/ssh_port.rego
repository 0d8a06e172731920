# METADATA
# title: SSH in a container
# description: |
#   A shell over SSH lets people into a container past the API server: past its authorization and its
#   audit log, with keys that nobody rotates. `kubectl exec` does the same within them.
# related_resources:
#   - https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   equivalents: [kubescape:C-0042, kube-linter:ssh-port]
package policies.workload.ssh_port

import data.lib.ports

deny contains finding if {
	some port in ports.declared
	port.number == 22
	finding := {
		"path": port.path,
		"anchor": port.anchor,
		"message": sprintf("container '%s' serves SSH: it declares port 22", [port.container]),
	}
}
