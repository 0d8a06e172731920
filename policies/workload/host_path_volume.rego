# METADATA
# title: Volume of its node's files
# description: |
#   A hostPath volume gives a pod files of its node, which outlive it and belong to others. With
#   the right path, or a symbolic link in it, they are the container runtime's socket, the kubelet's
#   credentials or the configuration of the node. A local PersistentVolume keeps the path out of the
#   hands of whoever writes pods.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   controls: [pss-baseline/host-path, pss-restricted/host-path, pss-restricted/volume-types, cis-2.0.1/5.2.11]
#   equivalents: [trivy:KSV-0023, kubescape:C-0048, polaris:hostPathSet]
package policies.workload.host_path_volume

import data.lib.workload

deny contains finding if {
	some index, volume in workload.volumes
	is_object(volume)
	source := volume.hostPath
	source != null
	name := workload.named(volume, "hostPath")
	finding := {
		"path": array.concat(workload.pod_path, ["volumes", index, "hostPath"]),
		"anchor": name,
		"message": sprintf("volume '%s' mounts %s of the node", [name, mounted(source)]),
	}
}

mounted(source) := sprintf("'%s'", [source.path]) if has_path(source)

mounted(source) := "a path" if not has_path(source)

has_path(source) if is_string(source.path)
