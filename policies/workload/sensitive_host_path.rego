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
#   equivalents:
#     - kubescape:C-0020
#     - trivy:KSV-0121
#     - kube-linter:sensitive-host-mounts
#     - kubeaudit:SensitivePathsMounted
#     - kics:workload_mounting_with_sensitive_os_directory
#     - kubescape:C-0048
#     - kubescape:C-0203
#     - trivy:KSV-0023
#     - polaris:hostPathSet
#     - kics:non_kube_system_pod_with_host_mount
#     - kics:psp_with_unrestricted_access_to_host_path
#     - kyverno:disallow-host-path
#     - kyverno:limit-hostpath-vols
#     - kyverno:remove-hostpath-volumes
#     - gatekeeper:host-filesystem
#     - prowler:core_minimize_hostpath_volume_mounts
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
