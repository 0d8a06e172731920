# METADATA
# title: One replica behind a Service
# description: |
#   While its one pod is moved, restarted or lost with its node, the Service leads nowhere: for the
#   time of a start, and five minutes more when a node stops answering. Nothing is said of what acts
#   of its own accord, of which one leads, nor of a pod with a disk of its own. A second replica is
#   offered where nothing tells that one is all there may be.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
# custom:
#   severity: low
#   profile: strict
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
package policies.spread.single_replica

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.served
	fix := scheduling.patched(case, "run a second replica", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("one pod is all that Service %s leads to: with it gone, nobody answers", [case.service]),
	})
}
