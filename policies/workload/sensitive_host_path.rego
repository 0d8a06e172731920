# METADATA
# title: Sensitive directory of its node
# description: |
#   Some directories of a node hold what opens the node or its other pods: the root, /etc/kubernetes,
#   the home of root, /proc, the kubelet's folder with the Secrets of every pod, disks, sockets below
#   /run. Others hold what the node runs, such as /usr, /boot and /sys: those are told where a
#   container may write there. A pod that needs one file of them can mount that file alone.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   controls: [pss-baseline/host-path, pss-restricted/host-path, pss-restricted/volume-types, cis-2.0.1/5.2.11]
#   equivalents: []
package policies.workload.sensitive_host_path

import data.lib.host_paths

deny contains finding if {
	some volume in host_paths.sensitive
	finding := {
		"path": volume.field,
		"anchor": volume.name,
		"message": sprintf("volume '%s' mounts %s of the node, %s", [
			volume.name, volume.said, why(volume.path),
		]),
	}
}

why("") := "and with it all files of the node"

why(path) := "where secrets of the node or its pods are in reach" if {
	path != ""
	host_paths.holds_secrets(path)
}

why(path) := "and may change what the node runs" if not host_paths.holds_secrets(path)
