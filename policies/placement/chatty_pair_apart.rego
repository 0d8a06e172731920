# METADATA
# title: Far from what it asks most
# description: |
#   Much of all observed traffic goes from this service to one in another rack, and each request pays
#   the way, although the rack has room. Judged by observed flows that were counted, for what is not
#   observed may be a request a day; a database is told as such. What is in several racks is left
#   alone: its callers cannot be near all of it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: low
#   profile: recommended
#   fix: generated
#   kinds: [Deployment, ReplicaSet, ReplicationController, Rollout]
#   facts: [chatter]
#   admission: grace
package policies.placement.chatty_pair_apart

deny contains finding if {
	some found in input.facts.chatter
	finding := {
		"path": found.path,
		"anchor": found.target,
		"message": sprintf(
			"sends %d of %d observed requests to %s, %s hops away instead of %s: rack %s has room for its pods",
			[found.count, found.all, found.target, found.hops, found.near, found.rack],
		),
		"evidence": found.evidence,
		"fix": {"title": "prefer the rack of what it asks", "safety": "unsafe", "synthesize": "draw_together"},
	}
}
