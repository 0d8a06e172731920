# METADATA
# title: Host port that caps the replicas
# description: |
#   A port of the node is there once on each node: there are never more pods with it than nodes that
#   they may run on.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/overview/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [ceilings]
package policies.placement.host_port_caps_replicas

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.ceilings.ports
	finding := object.union(scheduling.found(case), {
		"message": sprintf("its host ports leave nodes for %d of %d pods%s", [case.placed, case.wanted, case.when]),
	})
}
