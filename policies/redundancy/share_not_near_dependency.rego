# METADATA
# title: Requests are not drawn to the instances beside the database
# description: |
#   Some instances are in the rack of the database that each of them asks, others are not, and requests
#   fall on all alike: those that arrive elsewhere pay the way to the database on every query. Or the
#   instances there get more than twice their share. Traffic that prefers the zone or node, or weights
#   of a mesh or a route, can favour them within what they can serve.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
#   - https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/distribute/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.redundancy.share_not_near_dependency

deny contains finding if {
	found := input.facts.traffic.collocated
	found.why == "alike"
	finding := {
		"path": ["spec"],
		"anchor": found.database,
		"message": sprintf(
			"%d of its %d instances are in rack %s with %s, and get %d%% of the requests, no more than the others",
			[found.near, found.of, found.rack, found.database, found.share],
		),
		"evidence": input.facts.traffic.evidence,
	}
}

deny contains finding if {
	found := input.facts.traffic.collocated
	found.why == "too much"
	finding := {
		"path": ["spec"],
		"anchor": found.database,
		"message": sprintf(
			"%d of its %d instances are in rack %s with %s, and get %d%% of the requests: one of them %s times its share",
			[found.near, found.of, found.rack, found.database, found.share, found.load],
		),
		"evidence": input.facts.traffic.evidence,
	}
}
