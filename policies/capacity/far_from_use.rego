# METADATA
# title: Request far from what is used
# description: |
#   A scheduler counts what is asked for, not what is used. With far less asked than used, nodes are
#   filled blindly and pods starve each other; with far more, room stays empty. Told from PodMetrics
#   that are given: one look, so only wide differences count, and none where an autoscaler keeps the
#   use low.
# related_resources:
#   - https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [usage]
#   equivalents:
#     - popeye:POP-109
#     - popeye:POP-110
#     - popeye:POP-503
#     - popeye:POP-504
package policies.capacity.far_from_use

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.usage
	finding := object.union(scheduling.found(case), {"message": message(case)})
}

message(case) := sprintf("container '%s' asks for %s of %s and uses up to %s", [case.container, case.asked, case.resource, case.used]) if case.more

message(case) := sprintf("container '%s' asks for %s of %s and uses %s at the most, in %s", [
	case.container, case.asked, case.resource, case.used, scheduling.pods(case.pods),
]) if {
	not case.more
}
