# METADATA
# title: Volume that holds a pod in what may be lost
# description: |
#   A pod goes where its volume can be mounted. A disk of one zone is gone with the zone, and so is the
#   pod: it stays pending until the zone is back or the data is restored elsewhere. No affinity mends
#   that; only a volume that several zones reach, or replicas with volumes of their own.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [losses]
package policies.placement.bound_to_lost_volume

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.losses.volume
	finding := object.union(scheduling.found(case), {
		"message": sprintf(
			"after the loss of %s, %d of its %d pods stay pending: the volume is there and nowhere else, which cannot be fixed by affinity",
			[case.domain, case.stuck, case.replicas],
		),
	})
}
