# METADATA
# title: Rights to make PersistentVolumes
# description: |
#   A PersistentVolume may be a folder of the node, and Pod Security does not ask what is behind a
#   claim. Provisioners of storage have to make volumes.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0278
#     - prowler:rbac_minimize_pv_creation_access
package policies.access.makes_volumes

import data.lib.rights

deny contains finding if {
	rights.gives("makes-volumes")
	finding := rights.everywhere("makes-volumes", "make volumes of any folder of a node")
}
