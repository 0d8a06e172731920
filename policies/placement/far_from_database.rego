# METADATA
# title: Far from its database
# description: |
#   Every query of a service pays the way to its database. Where the database is bound to a rack
#   and that rack has room, nothing is gained by letting the service run elsewhere: each hop costs
#   latency on every call, and bandwidth between racks that others need.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: generated
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [distance]
package policies.placement.far_from_database

deny contains finding if {
	some far in input.facts.distance
	finding := {
		"path": far.path,
		"anchor": far.database,
		"message": sprintf(
			"uses database %s in rack %s, yet nothing keeps it there: %d of the %d nodes it may run on are up to %d hops away instead of %d, while rack %s has room for its pods",
			[far.database, far.rack, far.away, far.eligible, far.hops, far.near_hops, far.rack],
		),
		"evidence": far.evidence,
		"fix": {"title": "prefer the rack of its database", "safety": "safe", "synthesize": "draw_near"},
	}
}
