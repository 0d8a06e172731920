# METADATA
# title: One replica of what the cluster stands on
# description: |
#   DNS, the entrance, volumes, figures for autoscalers, and webhooks that fail closed are what the
#   rest of a cluster waits for. With one replica, the loss of one node stops it for all: pods cannot
#   start because nobody admits them, names do not resolve.
# related_resources:
#   - https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [single]
#   equivalents:
#     - popeye:POP-1109
package policies.spread.single_platform_part

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.single.platform
	finding := object.union(scheduling.found(case), {
		"message": sprintf("one pod is all there is of %s", [case.gives]),
	})
}
