# METADATA
# title: Personal data behind a public entrance
# description: |
#   An Ingress, a Gateway or a load balancer leads requests from the internet to a workload that holds
#   personal data (PII) or sensitive personal data (SPI). Its clients may all be known, and the
#   controller one of them: what it passes on still comes from anybody. Name the paths that are meant
#   for the internet, and serve them from a workload without the data.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/
# custom:
#   severity: high
#   profile: recommended
#   waivable: central
#   fix: manual
#   facts: [entrances, exposure]
package policies.network.public_entrance_to_personal_data

import data.lib.text

exposure := input.facts.exposure

deny contains finding if {
	count(exposure.data) > 0
	some way in input.facts.entrances
	finding := {
		"path": place,
		"anchor": sprintf("%s/%s/%v", [way.object.kind, way.object.name, way.port]),
		"message": sprintf("holds %s, and %s leads the internet to its port %v: %s", [
			text.joined(" and ", exposure.data), named(way.object), way.port, asked(way),
		]),
		"evidence": [{"message": sprintf("%s opens it", [named(way.object)]), "object": way.object, "path": way.path}],
	}
}

place := exposure.declared.path if exposure.own

place := ["metadata", "name"] if not exposure.own

named(ref) := sprintf("%s %s/%s", [ref.kind, ref.namespace, ref.name])

asked(way) := sprintf("%s of %s", [paths(way), hosts(way)])

paths(way) := "any path" if count(way.paths) == 0

paths(way) := text.joined(", ", way.paths) if count(way.paths) > 0

hosts(way) := "any host" if count(way.hosts) == 0

hosts(way) := text.joined(", ", way.hosts) if count(way.hosts) > 0
