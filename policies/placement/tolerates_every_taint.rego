# METADATA
# title: Tolerates every taint
# description: |
#   A toleration without a key means all taints. The pods may go to nodes of the control plane and to
#   nodes kept for others, to nodes that are drained, and stay bound to a node that does not answer
#   any more instead of being started elsewhere. Agents of each node need that, as DaemonSets;
#   applications do not.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
#   equivalents:
#     - kyverno:restrict-controlplane-scheduling
package policies.placement.tolerates_every_taint

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.tolerates_all
	finding := object.union(scheduling.found(case), {
		"message": sprintf("tolerates every taint%s: %s", [effect(case.effect), means(case.effect)]),
	})
}

effect("") := ""

effect(name) := sprintf(" with effect %s", [name]) if name != ""

means("") := "it may run on nodes of the control plane, and is never moved off a node that is lost"

means("NoSchedule") := "it may run on nodes of the control plane and on those kept for others"

means("NoExecute") := "it is never moved off a node that is lost"
