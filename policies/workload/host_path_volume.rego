# METADATA
# title: Volume of its node's files
# description: |
#   A hostPath volume gives a pod files of its node, which outlive it and belong to others. With
#   a symbolic link in the right place they become other files than the path says. A local
#   PersistentVolume keeps the path out of the hands of whoever writes pods. Sockets of container
#   runtimes and directories that hold secrets of the node are told by policies of their own.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   controls: [pss-baseline/host-path, pss-restricted/host-path, pss-restricted/volume-types, cis-2.0.1/5.2.11]
#   equivalents:
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
package policies.workload.host_path_volume

import data.lib.host_paths

deny contains finding if {
	some volume in host_paths.plain
	finding := {
		"path": volume.field,
		"anchor": volume.name,
		"message": sprintf("volume '%s' mounts %s of the node", [volume.name, volume.said]),
	}
}
