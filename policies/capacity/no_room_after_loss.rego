# METADATA
# title: No room for its pods after a loss
# description: |
#   The pods of a node, a rack or a zone that is lost need room elsewhere. A replay of the loss, highest
#   priority first, ends with pods of this workload that fit nowhere for want of CPU, memory or another
#   resource. Told with the loss that leaves most of them without a node.
# related_resources:
#   - https://kubernetes.io/docs/concepts/architecture/nodes/#condition
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [losses]
package policies.capacity.no_room_after_loss

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.losses.capacity
	finding := object.union(scheduling.found(case), {
		"message": sprintf(
			"%d of its %s on %s have no room elsewhere when that is lost: %d of %d are left",
			[case.stuck, scheduling.pods(case.moved), case.domain, case.left, case.replicas],
		),
	})
}
