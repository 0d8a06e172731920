# METADATA
# title: Ingress or route that leads to nothing
# description: |
#   The Service that is named as a backend is not there, or has no such port. An Ingress and a route
#   name the port of the Service, never that of the pod. Clients get an error, and whoever makes a
#   Service of that name later gets their requests.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/
#   - https://gateway-api.sigs.k8s.io/reference/spec/#backendref
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Ingress, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute]
#   facts: [backends]
#   admission: grace
#   equivalents:
#     - kubescape:C-0298
#     - kubescape:C-0302
#     - kube-linter:dangling-ingress
#     - kube-score:ingress-targets-service
#     - popeye:POP-1401
#     - popeye:POP-1402
package policies.network.missing_backend

deny contains finding if {
	some backend in input.facts.backends
	backend.why in {"missing", "port"}
	finding := {
		"path": backend.path,
		"anchor": backend.name,
		"message": sprintf("leads to nothing: %s", [backend.message]),
	}
}
