# METADATA
# title: Pods that no update reaches
# description: |
#   Pods with an ordinal below `partition` keep the old revision, and get it again when they are deleted.
#   That is right for a canary while somebody looks at it; what is left over keeps those pods on the old
#   version for ever.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [StatefulSet]
package policies.rollout.left_over_partition

deny contains finding if {
	partition := input.object.spec.updateStrategy.rollingUpdate.partition
	is_number(partition)
	partition > 0
	finding := {
		"path": ["spec", "updateStrategy", "rollingUpdate", "partition"],
		"message": sprintf("updates leave %s of its %v pods as they are: partition is %v", [number(partition), replicas, partition]),
		"fix": {
			"title": "update all pods",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["spec", "updateStrategy", "rollingUpdate", "partition"], "value": 0}],
		},
	}
}

default replicas := 1

replicas := input.object.spec.replicas if is_number(input.object.spec.replicas)

number(partition) := "all" if partition >= replicas

number(partition) := sprintf("%v", [partition]) if partition < replicas
