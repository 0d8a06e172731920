# METADATA
# title: Service with one ready instance, or none, of several
# description: |
#   Several replicas are wanted behind the Service, and at most one of them takes requests now: the
#   next loss takes the service down, or it is down. Read from the pods or EndpointSlices of a cluster.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
#   equivalents: [popeye:POP-1109, popeye:POP-1105]
package policies.routing.one_instance_left

deny contains finding if {
	found := input.facts.traffic
	found.live
	found.wanted > 1
	found.instances < 2
	finding := {
		"path": ["spec", "selector"],
		"severity": grade[found.instances],
		"message": sprintf("%s of the %d replicas behind it is ready", [word[found.instances], found.wanted]),
	}
}

grade := ["high", "medium"]

word := ["none", "only one"]
