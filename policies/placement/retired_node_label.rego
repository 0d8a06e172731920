# METADATA
# title: Node label that is no longer written
# description: |
#   The beta labels of nodes were replaced in Kubernetes 1.17. Clusters that still write them do so
#   out of habit: where nobody does, a selector finds no node and a rule over such a label means
#   nothing.
# related_resources:
#   - https://kubernetes.io/docs/reference/labels-annotations-taints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.retired_node_label

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.retired_key
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%s is no longer written by clusters; the label is %s now", [case.key, case.now]),
	})
}
