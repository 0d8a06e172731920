# METADATA
# title: Claim without size or access mode
# description: |
#   The API server refuses a claim that does not say how much it asks for, or how it is mounted: the
#   StatefulSet is stored, and never gets its first pod.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [StatefulSet]
#   equivalents:
#     - kics:statefulset_requests_storage
#     - kubesec:VolumeClaimRequestsStorage
package policies.health.claim_that_is_refused

import data.lib.written

deny contains finding if {
	some index, claim in written.list(input.object.spec, "volumeClaimTemplates")
	is_object(claim)
	some fault in faults(claim)
	finding := {
		"path": ["spec", "volumeClaimTemplates", index, "spec"],
		"anchor": sprintf("%v/%s", [object.get(claim, ["metadata", "name"], index), fault]),
		"message": sprintf("the claim '%v' says no %s: no pod is ever made", [object.get(claim, ["metadata", "name"], index), fault]),
	}
}

faults(claim) := {fault |
	some fault in ["size", "access mode"]
	lacks(claim, fault)
}

lacks(claim, "size") if object.get(claim, ["spec", "resources", "requests", "storage"], null) == null

lacks(claim, "access mode") if count(written.list(claim, ["spec", "accessModes"])) == 0
