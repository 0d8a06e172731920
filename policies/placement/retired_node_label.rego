# METADATA
# title: Node label that was replaced
# description: |
#   The beta labels of nodes were replaced in Kubernetes 1.17 and are deprecated. Kubelets and cloud
#   providers still write most of them; where nobody does, a selector finds no node and a rule over
#   such a label means nothing.
# related_resources:
#   - https://kubernetes.io/docs/reference/labels-annotations-taints/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [choices]
package policies.placement.retired_node_label

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.choices.retired_key
	finding := object.union(scheduling.found(case), {
		"message": sprintf("%s is deprecated since Kubernetes 1.17, and need not be there; the label is %s now", [case.key, case.now]),
	})
}
