# METADATA
# title: Allowed host that is refused with a port
# description: |
#   Istio compares `hosts` with all of the Host header, the port in it too. Clients that call a port
#   other than 80 send it, and a host that is allowed without it refuses them. Recorded from a real
#   Envoy: ALLOW `*.cluster.local` refused `customers.pii.svc.cluster.local:8080`.
# related_resources:
#   - https://istio.io/latest/docs/ops/best-practices/security/#host-matching-in-policies
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.host_refused_with_port

import data.lib.istio

deny contains finding if {
	some value in istio.hosts_without_port
	istio.action in {"ALLOW", "DENY"}
	not istio.denies(value)
	finding := {
		"path": value.path,
		"message": sprintf("'%s' does not stand for '%s:8080': a client that writes a port in the Host header is another", [value.text, value.text]),
	}
}
