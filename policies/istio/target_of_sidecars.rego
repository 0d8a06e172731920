# METADATA
# title: Target that sidecars do not read
# description: |
#   A policy with `targetRefs` belongs to a waypoint or a gateway. A sidecar leaves it out: it neither
#   denies nor admits there, and an ALLOW of this kind does not make the workload refuse the rest.
#   Recorded from Istio's own code and a real Envoy: of eight such policies, none changed an answer.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.target_of_sidecars

import data.lib.istio

deny contains finding if {
	some target in input.facts.mesh.targets
	finding := {
		"path": ["spec", "targetRefs", target.index],
		"message": sprintf("sidecars do not read policies with targetRefs: this one protects nothing of %s", [istio.who(target)]),
	}
}
