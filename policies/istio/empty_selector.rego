# METADATA
# title: Selector without labels
# description: |
#   A selector without labels selects every workload of the namespace, and in the root namespace every
#   workload of the mesh; a PeerAuthentication with one is a policy of the namespace. Recorded from
#   Istio's own code: `selector: {matchLabels: {}}` was the same as no selector.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/type/workload-selector/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
#   equivalents:
#     - istioctl:IST0133
package policies.istio.empty_selector

import data.lib.istio

deny contains finding if {
	istio.selector
	not istio.selects_by_label
	finding := {
		"path": ["spec", "selector"],
		"message": "a selector without labels selects every workload",
	}
}
