# METADATA
# title: Quota that a rollout or an autoscaler exceeds
# description: |
#   A ResourceQuota refuses pods beyond it. What a rollout makes beside the old pods, and what an
#   autoscaler asks for, counts too, next to all others of the namespace: the pods are not even
#   created, and events of the ReplicaSet alone tell of it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/policy/resource-quotas/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
package policies.capacity.quota_too_small

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.quota
	finding := object.union(scheduling.found(case), {
		"message": sprintf("ResourceQuota %s has %s for %d of %d pods%s", [case.quota, case.key, case.allowed, case.wanted, case.when]),
	})
}
