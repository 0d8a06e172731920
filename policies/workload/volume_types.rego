# METADATA
# title: Volume of a type that needs its node
# description: |
#   Volumes that name a disk, a file server or a driver in the pod itself have whoever writes pods
#   reach into storage that nobody granted, and most of those types are gone from Kubernetes or on
#   their way out. A PersistentVolumeClaim asks for the same by name.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/concepts/storage/volumes/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   controls: [pss-restricted/volume-types]
#   equivalents:
#     - trivy:KSV-0028
#     - kyverno:restrict-volume-types
#     - gatekeeper:volumes
#     - gatekeeper:flexvolume-drivers
package policies.workload.volume_types

import data.lib.workload

portable := {
	"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
	"persistentVolumeClaim", "projected", "secret",
}

# workload/host_path_volume has those.
elsewhere := {"name", "hostPath"}

deny contains finding if {
	some index, volume in workload.volumes
	is_object(volume)
	not is_portable(volume)
	some type, source in volume
	source != null
	not type in elsewhere
	name := workload.named(volume, type)
	finding := {
		"path": array.concat(workload.pod_path, ["volumes", index, type]),
		"anchor": name,
		"message": sprintf("volume '%s' is of type '%s'", [name, type]),
	}
}

is_portable(volume) if {
	some type in portable
	object.get(volume, type, null) != null
}
