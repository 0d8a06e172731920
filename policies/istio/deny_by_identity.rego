# METADATA
# title: DENY by identity without mTLS
# description: |
#   A DENY of principals, namespaces or service accounts needs to know who calls. A caller in plain
#   text has no identity, and is not denied: while mTLS is PERMISSIVE, whoever is meant leaves the
#   sidecar out and passes. Recorded from a real Envoy: DENY of namespace monitoring stopped
#   Prometheus by its identity, and let the same address in without one. With mTLS STRICT
#   there is no such caller.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#dependency-on-mutual-tls
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.deny_by_identity

import data.lib.istio

identities := {"namespaces", "principals", "serviceAccounts", "trustDomains"}

deny contains finding if {
	istio.action == "DENY"
	istio.takers.count >= 0
	some value in istio.values
	not value.negative
	value.positive in identities
	finding := {
		"path": array.slice(value.path, 0, count(value.path) - 1),
		"message": sprintf("a DENY by '%s' spares every caller without an identity%s", [value.field, istio.in_plain_text]),
	}
}
