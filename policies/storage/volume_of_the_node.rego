# METADATA
# title: Volume on a path of a node
# description: |
#   A PersistentVolume of type hostPath gives whoever claims it a directory of whichever node the pod
#   runs on: past every rule on the volumes of pods, and with data that stay behind when the pod moves.
#   A volume of type local stays with its node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#types-of-persistent-volumes
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [PersistentVolume]
package policies.storage.volume_of_the_node

deny contains finding if {
	is_string(input.object.spec.hostPath.path)
	finding := {
		"path": ["spec", "hostPath", "path"],
		"message": sprintf("gives whoever claims it '%s' of a node", [input.object.spec.hostPath.path]),
	}
}
