# METADATA
# title: More domains demanded than there are
# description: |
#   With fewer domains than minDomains each takes no more pods than maxSkew; the rest stays pending until
#   somebody adds nodes elsewhere. Nothing is said where an autoscaler of nodes runs, which may add them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout, Job, CronJob]
#   facts: [spreading]
package policies.spread.minimum_unmet

import data.lib.scheduling

deny contains finding if {
	some case in input.facts.spreading.minimum_unmet
	fix := scheduling.patched(case, "demand as many domains as there are", "unsafe")
	finding := object.union(object.union(scheduling.found(case), fix), {
		"message": sprintf(
			"demands %d domains of %s, and there are %d: they take %d of its %d pods",
			[case.minimum, case.key, case.domains, case.room, case.replicas],
		),
	})
}
