# METADATA
# title: New instances get no work from old clients
# description: |
#   With sessionAffinity ClientIP whoever has asked once is sent to the same instance for hours: a few
#   clients, or many behind one address, keep the old instances busy while those that an autoscaler
#   adds wait. Connections that stay open, as of gRPC and HTTP/2, do the same, since a Service balances
#   connections and not requests: clients have to balance by themselves over a headless Service, or a
#   mesh does.
# related_resources:
#   - https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity
#   - https://kubernetes.io/blog/2018/11/07/grpc-load-balancing-on-kubernetes-without-tears/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [Service]
#   facts: [clientele]
#   admission: grace
package policies.routing.sticky_clients

sticky if input.object.spec.sessionAffinity == "ClientIP"

deny contains finding if {
	sticky
	instances := input.facts.clientele.instances
	instances != null
	finding := {
		"path": ["spec", "sessionAffinity"],
		"anchor": "ClientIP",
		"message": sprintf("keeps each client with one of its %s", [instances]),
	}
}

deny contains finding if {
	not sticky
	instances := input.facts.clientele.instances
	instances != null
	some port in input.facts.clientele.open
	finding := {
		"path": port.path,
		"anchor": sprintf("%v", [port.number]),
		"message": sprintf("connections of gRPC or HTTP/2 stay with one of its %s", [instances]),
		"evidence": input.facts.clientele.evidence,
	}
}
