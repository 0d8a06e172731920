# METADATA
# title: Temporary volume without a bound
# description: |
#   What is written to an emptyDir fills the disk of the node, for every pod there, or with medium
#   Memory its memory. A sizeLimit bounds it; so does a limit of ephemeral storage of a container of
#   the pod, and in memory the memory limits of all containers, or of the pod.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#emptydir
#   - https://kubernetes.io/docs/concepts/storage/ephemeral-storage/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - kyverno:require-emptydir-requests-limits
#     - kyverno:add-emptydir-sizelimit
package policies.resources.unbounded_empty_dir

import data.lib.quantities
import data.lib.resources
import data.lib.workload

deny contains finding if {
	some index, volume in workload.volumes
	is_empty_dir(volume)
	not has_bound(volume)
	finding := {
		"path": array.concat(workload.pod_path, ["volumes", index, "emptyDir"]),
		"anchor": workload.named(volume, "volumes"),
		"message": sprintf("volume '%s' may fill the %s of its node", [
			workload.named(volume, "volumes"), medium(volume),
		]),
	}
}

is_empty_dir(volume) if is_object(volume.emptyDir)

has_bound(volume) if quantities.value(volume.emptyDir.sizeLimit) > 0

# The kubelet adds up the limits of a pod, and evicts it beyond the sum, if any container has one.
has_bound(volume) if {
	medium(volume) == "disk"
	some container in resources.able
	resources.has_limit(container, "ephemeral-storage")
}

has_bound(volume) if {
	medium(volume) == "memory"
	every container in resources.lasting {
		resources.has_limit(container, "memory")
	}
}

medium(volume) := "memory" if is_in_memory(volume)

medium(volume) := "disk" if not is_in_memory(volume)

is_in_memory(volume) if volume.emptyDir.medium == "Memory"

is_in_memory(volume) if {
	is_string(volume.emptyDir.medium)
	startswith(volume.emptyDir.medium, "HugePages")
}
