# METADATA
# title: Claim of one pod that many may mount
# description: |
#   Each pod of a StatefulSet has a claim of its own. ReadWriteMany asks for storage that several nodes
#   mount at once, which is slower or dearer, and lets a second pod write where one alone should.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [StatefulSet]
#   equivalents:
#     - kics:incorrect_volume_claim_access_mode_read_write_once
#     - kubesec:VolumeClaimAccessModeReadWriteOnce
#     - kyverno:enforce-readwriteonce-pod
package policies.health.shared_claim_of_each_pod

import data.lib.written

deny contains finding if {
	some index, claim in written.list(input.object.spec, "volumeClaimTemplates")
	"ReadWriteMany" in written.list(claim, ["spec", "accessModes"])
	finding := {
		"path": ["spec", "volumeClaimTemplates", index, "spec", "accessModes"],
		"anchor": claim.metadata.name,
		"message": sprintf("the claim '%s' of each pod may be mounted by many nodes at once", [claim.metadata.name]),
	}
}
