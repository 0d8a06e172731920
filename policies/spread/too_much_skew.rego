# METADATA
# title: Spread constraint that allows all pods in one domain
# description: |
#   maxSkew says by how many pods a domain may be ahead of the emptiest. Where it is as many as there
#   are replicas, all of them may be in one, and the constraint never holds anything back.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [spreading]
package policies.spread.too_much_skew

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.vacuous
	fix := scheduling.patched(case, "allow a skew of one", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf("maxSkew %d over %s lets all %d replicas be in one domain", [case.skew, case.key, case.replicas]),
	})
}
