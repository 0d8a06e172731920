# METADATA
# title: Asterisk that is no wildcard
# description: |
#   In principals, paths, hosts and methods an asterisk is a wildcard only as the first or the last
#   character, and with one at both ends the first counts; any other is compared as itself. Recorded
#   from a real Envoy: `*/ns/monitoring/sa/*` matched nobody, and `/api/*/customers` no path that had
#   something else than an asterisk there. In `namespaces` it works anywhere on a sidecar, and is
#   literal to ztunnel.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#value-matching
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.asterisk_inside

import data.lib.istio

fields := {"hosts", "methods", "paths", "principals", "requestPrincipals"}

deny contains finding if {
	some value in istio.values
	value.positive in fields
	not istio.is_template(value.text)
	contains(istio.literal_part(value.text), "*")
	finding := {
		"path": value.path,
		"message": sprintf("'%s' has an asterisk that is no wildcard but itself, %s", [
			value.text, istio.without_a_match(value),
		]),
	}
}
