# METADATA
# title: Requests leave their zone without need
# description: |
#   A Service sends each connection to any of its instances, wherever they are: over three zones, two
#   of three requests cross zones, which costs latency on every call and, with most providers, money.
#   With trafficDistribution a request stays in its zone where there is an instance. Told only where
#   that helps: the instances and the pods that ask are in several zones together, and no instance
#   would get twice its share, also after any single loss. Edges with little traffic cost little.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/3015-prefer-same-node
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.routing.crosses_zones

deny contains finding if {
	found := input.facts.traffic.crossing
	found.even
	finding := object.union(
		{
			"path": ["spec"],
			"message": sprintf(
				"%d%% of the requests of its clients leave their zone, and %d%% would with traffic kept near: its %d instances are in %d zones, without any instance getting more than %s times its share, not even after a loss",
				[found.part, found.near, input.facts.traffic.instances, found.zones, found.load],
			),
			"evidence": input.facts.traffic.evidence,
		},
		remedy(found),
	)
}

# A proxy that knows no hints goes on as before.
remedy(found) := {"fix": {
	"title": sprintf("prefer instances of the same zone (%s)", [found.field]),
	"safety": "unsafe",
	"patch": [{"op": "add", "path": ["spec", "trafficDistribution"], "value": found.field}],
}} if {
	found.field != ""
}

remedy(found) := {} if found.field == ""
