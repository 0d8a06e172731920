# METADATA
# title: Default priority class that displaces pods
# description: |
#   Every pod that names no class gets this one, and may throw out pods of lower priority to make room:
#   those that somebody took care to place lower go first.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [PriorityClass]
package policies.capacity.default_class_displaces

deny contains finding if {
	input.object.globalDefault == true
	input.object.value > 0
	object.get(input.object, "preemptionPolicy", "PreemptLowerPriority") != "Never"
	finding := {
		"path": ["globalDefault"],
		"message": "lets every pod that names no class throw others out",
	}
}
