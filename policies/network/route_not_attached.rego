# METADATA
# title: Route that its Gateway does not take
# description: |
#   A route holds only at a listener that takes its kind, its namespace and one of its hostnames. By
#   default a listener takes routes of its own namespace alone. One that holds nowhere is not asked,
#   and what it was to keep apart is decided by others.
# related_resources:
#   - https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute]
#   facts: [parents]
#   admission: grace
package policies.network.route_not_attached

deny contains finding if {
	some parent in input.facts.parents
	parent.seen
	finding := {
		"path": parent.path,
		"anchor": parent.name,
		"message": sprintf("does not hold: %s", [parent.message]),
	}
}
