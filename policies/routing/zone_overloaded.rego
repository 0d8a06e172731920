# METADATA
# title: Traffic that is kept near overloads a zone
# description: |
#   Where traffic stays in its zone, the instances of a zone share what the clients of that zone ask,
#   and nothing moves over to instances elsewhere that have little to do. A zone with many clients and
#   few instances then gets a multiple of its share. Spread the instances as the clients are spread
#   first, or scale each zone for itself.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
#   - https://github.com/istio/istio/issues/50727
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.routing.zone_overloaded

deny contains finding if {
	found := input.facts.traffic.overload
	found.later == ""
	finding := {
		"path": ["spec", "trafficDistribution"],
		"message": sprintf(
			"an instance in zone %s gets %s times its share: traffic stays in its zone, and %d of its %d instances are there, beside %d of the %d pods that ask",
			[found.zone, found.load, found.instances, found.of, found.clients, found.asking],
		),
		"evidence": input.facts.traffic.evidence,
	}
}

deny contains finding if {
	found := input.facts.traffic.overload
	found.later != ""
	finding := {
		"path": ["spec", "trafficDistribution"],
		"severity": "low",
		"message": sprintf(
			"an instance gets %s times its share %s, since traffic stays in its zone",
			[found.load, found.later],
		),
		"evidence": input.facts.traffic.evidence,
	}
}
