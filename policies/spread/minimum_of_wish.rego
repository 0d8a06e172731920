# METADATA
# title: Minimum of domains on a constraint that is no must
# description: |
#   minDomains goes with `whenUnsatisfiable: DoNotSchedule` alone. With ScheduleAnyway the API server
#   refuses the pod; of a Deployment it accepts the template in some versions, and then no pod appears.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: essential
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [spreading]
package policies.spread.minimum_of_wish

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.minimum_of_wish
	fix := scheduling.patched(case, "drop the minimum of domains", "safe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("minDomains %d of the constraint over %s is refused: it is no must", [case.minimum, case.key]),
	})
}
