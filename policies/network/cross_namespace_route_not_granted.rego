# METADATA
# title: Route to a Service of another namespace without a grant
# description: |
#   A route may name a backend of another namespace only where a ReferenceGrant of that namespace says
#   so. Without one, the Gateway answers with an error; and whoever may write grants there should
#   know who asks.
# related_resources:
#   - https://gateway-api.sigs.k8s.io/api-types/referencegrant/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute]
#   facts: [backends]
#   admission: grace
package policies.network.cross_namespace_route_not_granted

deny contains finding if {
	some backend in input.facts.backends
	backend.why == "ungranted"
	finding := {
		"path": backend.path,
		"anchor": backend.name,
		"message": backend.message,
	}
}
