# METADATA
# title: No limit of ephemeral storage
# description: |
#   What a container writes to its own file system and to its log fills the disk of its node; when
#   that is full, pods are evicted, and not always the one that filled it. The default of a LimitRange
#   of the namespace counts.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/ephemeral-storage/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Logs are rotated by the kubelet, and with a read-only root file system and bounded volumes
#     nothing is left to be filled. A pod beyond its limit is evicted, not slowed down: few know
#     the right number.
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - kube-score:container-ephemeral-storage-request-and-limit
#     - gatekeeper:ephemeralstoragelimit
package policies.resources.no_ephemeral_storage_limit

import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.able
	not resources.has_limit(container, "ephemeral-storage")
	finding := {
		"path": resources.place(container, "limits", "ephemeral-storage"),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' may fill the disk of its node", [workload.name(container)]),
	}
}
