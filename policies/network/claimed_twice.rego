# METADATA
# title: Two Ingresses claim the same path of a host
# description: |
#   Which backend is asked then depends on the controller, often on which Ingress is older. Whoever may
#   make an Ingress in any namespace can so take over, or listen to, the requests for another one.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Ingress]
#   facts: [claims]
#   equivalents:
#     - gatekeeper:unique-ingress-host
#     - kyverno:unique-ingress-host-and-path
#     - kyverno:unique-ingress-paths
package policies.network.claimed_twice

import data.lib.text

deny contains finding if {
	some claim in input.facts.claims
	finding := {
		"path": claim.path,
		"anchor": claim.what,
		"message": sprintf("claims %s, and so does Ingress %s", [claim.what, text.joined(", ", claim.others)]),
	}
}
