# METADATA
# title: Traffic from outside falls unevenly or on empty nodes
# description: |
#   With externalTrafficPolicy Local a node hands what arrives to its own instances alone. A balancer
#   gives each node that has one alike, so that a single instance on its node gets as much as several
#   together on another. On a NodePort nobody asks the nodes: those without an instance drop it.
#   Balancers that send to pods themselves, without nodes, are not meant.
# related_resources:
#   - https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
#   equivalents: [popeye:POP-1107, popeye:POP-1108]
package policies.routing.outside_traffic_uneven

deny contains finding if {
	found := input.facts.traffic.outside
	found.blackhole
	finding := {
		"path": ["spec", "externalTrafficPolicy"],
		"message": sprintf(
			"drops what arrives from outside at %d of the %d nodes: it stays on its node, and only %d have an instance",
			[found.all - found.nodes, found.all, found.nodes],
		),
	}
}

deny contains finding if {
	found := input.facts.traffic.outside
	found.uneven
	finding := {
		"path": ["spec", "externalTrafficPolicy"],
		"severity": "low",
		"message": sprintf(
			"an instance gets %s times its share of what arrives from outside: each of the %d nodes gets alike, with %d to %d instances on it",
			[found.load, found.nodes, found.least, found.most],
		),
	}
}
