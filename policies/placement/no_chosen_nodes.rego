# METADATA
# title: No choice of nodes
# description: |
#   Neither a node selector nor a node affinity says on which nodes the pods may run.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
# custom:
#   severity: info
#   profile: optional
#   contested: |
#     A pod that may run on any node is the easiest to place, and outlives the loss of most of them.
#   fix: manual
#   equivalents:
#     - kube-linter:no-node-affinity
#     - kyverno:add-node-affinity
package policies.placement.no_chosen_nodes

import data.lib.workload
import data.lib.written

deny contains finding if {
	workload.pod.containers
	not chooses
	finding := {"path": workload.pod_path, "message": "may run on any node: it has neither a node selector nor a node affinity"}
}

chooses if written.size(workload.pod.nodeSelector) > 0

chooses if written.size(workload.pod.affinity.nodeAffinity) > 0
