# METADATA
# title: A priority class that is not there
# description: |
#   The API server refuses every pod that names a priority class which does not exist: the workload
#   is accepted and has no pods. Asked only where priority classes were read; those whose names begin
#   with "system-" every cluster has.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
# custom:
#   severity: medium
#   profile: recommended
#   admission: grace
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.capacity.missing_priority_class

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.no_class
	finding := object.union(scheduling.found(case), {
		"message": sprintf("names priority class %s, which is none of the %d that were read: its pods are refused", [case.class, case.known]),
	})
}
