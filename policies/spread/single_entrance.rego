# METADATA
# title: One replica of what the outside reaches
# description: |
#   A load balancer, a port of the nodes or an Ingress leads to a Service with one pod. While that is
#   moved, restarted or lost with its node, everybody outside is refused: for the time of a start, and
#   five minutes more when a node stops answering. A second replica is offered where nothing tells
#   that one is all there may be.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [single]
#   equivalents:
#     - polaris:deploymentMissingReplicas
#     - kube-score:deployment-replicas
#     - popeye:POP-1109
#     - gatekeeper:replicalimits
#     - kyverno:require-deployments-have-multiple-replicas
#   near: [kube-linter:minimum-three-replicas]
package policies.spread.single_entrance

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.entered
	fix := scheduling.patched(case, "run a second replica", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("one pod is all that answers the outside through Service %s: with it gone, everybody is refused", [case.service]),
	})
}
