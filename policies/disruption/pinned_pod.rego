# METADATA
# title: Pod that keeps its node
# description: |
#   An annotation tells the autoscaler of nodes to leave the pod alone: its node is never given back while
#   the pod runs, and is not replaced for an upgrade. Right for a batch that must not start again; of what
#   serves, a budget keeps enough.
# related_resources:
#   - https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
#   - https://karpenter.sh/docs/concepts/disruption/#pod-level-controls
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
package policies.disruption.pinned_pod

import data.lib.workload

pinning := {
	"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
	"karpenter.sh/do-not-disrupt": "true",
	"karpenter.sh/do-not-evict": "true",
}

deny contains finding if {
	some key, value in pinning
	workload.annotations[key] == value
	path := array.concat(workload.annotations_path, [key])
	finding := {
		"path": path,
		"anchor": key,
		"message": sprintf("its nodes are neither given back nor replaced: %s is '%s'", [key, value]),
		"fix": {"title": "let it be moved", "safety": "unsafe", "patch": [{"op": "remove", "path": path}]},
	}
}
