# METADATA
# title: ALLOW by identity where mTLS is off
# description: |
#   Where the mode is DISABLE, callers send plain text and none of them has an identity: an ALLOW by
#   principal, namespace or service account admits nobody. Recorded from a real Envoy: the account
#   that was named was refused like everybody else.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#dependency-on-mutual-tls
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.identity_without_mtls

import data.lib.istio

identities := {"namespaces", "principals", "serviceAccounts", "trustDomains"}

deny contains finding if {
	istio.action == "ALLOW"
	input.facts.mesh.disabled.count > 0
	some value in istio.values
	value.positive in identities
	not value.negative
	finding := {
		"path": array.slice(value.path, 0, count(value.path) - 1),
		"message": sprintf("mTLS is disabled on %s: no caller has an identity there, and '%s' admits nobody", [
			istio.who(input.facts.mesh.disabled), value.field,
		]),
	}
}
