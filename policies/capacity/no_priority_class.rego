# METADATA
# title: No priority of its own
# description: |
#   Without a priority class all pods are equal: when room is short, chance decides which of them
#   runs.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Where all is equally important, one class for all says nothing; a cluster with few priorities is
#     easier to understand.
#   fix: manual
#   equivalents:
#     - polaris:priorityClassNotSet
#     - kyverno:require-pod-priorityclassname
#   near: [kube-linter:priority-class-name]
package policies.capacity.no_priority_class

import data.lib.workload

deny contains finding if {
	pod := workload.pod
	not has_class
	pod.containers
	finding := {"path": workload.pod_path, "message": "names no priority class: when room is short, chance decides who runs"}
}

has_class if {
	is_string(workload.pod.priorityClassName)
	workload.pod.priorityClassName != ""
}
