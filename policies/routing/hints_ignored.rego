# METADATA
# title: Traffic is to stay near, and does not
# description: |
#   As soon as one ready instance has no hint, every proxy ignores all of them, and requests go
#   anywhere. Instances on nodes without a zone have none; hints that are shared out by CPU are not
#   written at all with fewer instances than zones, with any node of no known zone, or where a zone
#   would get over 20% too much. Hints are not written for what is not ready.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/#safeguards
#   - https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.routing.hints_ignored

deny contains finding if {
	found := input.facts.traffic.unhinted
	found != null
	not found.annotated
	finding := {
		"path": ["spec", "trafficDistribution"],
		"message": sprintf("keeps no traffic near: proxies ignore its hints, since %s", [found.why]),
	}
}

deny contains finding if {
	found := input.facts.traffic.unhinted
	found != null
	found.annotated
	finding := {
		"path": ["metadata", "annotations", mode],
		"message": sprintf("keeps no traffic near: no hints are written, since %s", [found.why]),
	}
}

# The older of two names counts only where the newer is not there.
mode := "service.kubernetes.io/topology-mode" if {
	input.object.metadata.annotations["service.kubernetes.io/topology-mode"]
} else := "service.kubernetes.io/topology-aware-hints"
