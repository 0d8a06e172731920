# METADATA
# title: Policy of the root namespace that selects elsewhere
# description: |
#   A policy in the root namespace of the mesh counts for the workloads with its labels in every
#   namespace, whoever owns that. Recorded from Istio's own code and a real Envoy: with
#   a selector that fits, a policy of istio-system denied requests to namespace pii.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#policy-target
# custom:
#   severity: info
#   profile: strict
#   fix: none
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.selects_in_all_namespaces

import data.lib.istio

deny contains finding if {
	istio.selects_by_label
	input.facts.mesh.elsewhere.count > 0
	finding := {
		"path": ["spec", "selector"],
		"message": sprintf("selects in every namespace, as %s", [istio.who(input.facts.mesh.elsewhere)]),
	}
}
