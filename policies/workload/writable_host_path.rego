# METADATA
# title: May write to its node's files
# description: |
#   Where a hostPath volume has to be, most containers only read it. Mounted read-only, it cannot be
#   used to fill the disk of the node, to leave something for another pod or to plant a link that the
#   kubelet follows. Of sensitive directories and sockets it is not told again.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   equivalents:
#     - kubescape:C-0045
#     - kubescape:C-0058
#     - kube-linter:writable-host-mount
#     - kics:volume_mount_with_os_directory_write_permissions
#     - kyverno:enforce-readonly-hostpath
#     - kyverno:ensure-readonly-hostpath
package policies.workload.writable_host_path

import data.lib.host_paths
import data.lib.workload

deny contains finding if {
	some volume in host_paths.plain
	not is_socket(volume.source)
	some mount in host_paths.writers
	mount.volume == volume.name
	finding := {
		"path": mount.path,
		"anchor": sprintf("%s/%s", [workload.name(mount.container), volume.name]),
		"message": sprintf("container '%s' may write to %s of the node", [
			workload.name(mount.container), volume.said,
		]),
		"fix": {
			"title": "mount it read-only",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": array.concat(mount.path, ["readOnly"]), "value": true}],
		},
	}
}

# One speaks through it, read-only or not.
is_socket(source) if source.type == "Socket"
