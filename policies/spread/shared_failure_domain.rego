# METADATA
# title: Replicas share what fails together
# description: |
#   Several replicas are there so that some are left when a node, a rack or a zone is lost. Where all
#   of them stand in one, its loss is an outage until they are started elsewhere: five minutes are
#   waited alone for the node to come back. Told is the smallest domain that takes too many, where
#   nothing hard forbids it and the pods could be in several. Where members decide by majority, a
#   majority has to be left.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: generated
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [shared]
#   equivalents:
#     - polaris:topologySpreadConstraint
package policies.spread.shared_failure_domain

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.shared.shared
	finding := object.union(scheduling.found(case), {
		"message": sprintf(
			"%d of its %d replicas die with %s %s: %d would be left where %s, though they may be in %d %ss",
			[case.lost, case.replicas, case.level, case.domain, case.left, case.why, case.domains, case.level],
		),
		"fix": {"title": sprintf("spread them over %ss", [case.level]), "safety": "unsafe", "synthesize": "spread_out"},
	})
}
