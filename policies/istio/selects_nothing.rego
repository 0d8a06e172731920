# METADATA
# title: Policy of the mesh that selects nothing
# description: |
#   A selector with a mistyped or outdated label is accepted, and the workload that is meant has no
#   policy: an ALLOW that selects nobody leaves the workload open. Recorded from Istio's own code:
#   a policy whose labels did not fit was applied to nobody, and every request passed. Nothing is said
#   of a namespace none of whose workloads are seen.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/analysis/ist0127/
# custom:
#   severity: medium
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
#   facts: [mesh]
#   admission: grace
#   equivalents:
#     - istioctl:IST0127
package policies.istio.selects_nothing

import data.lib.istio
import data.lib.text

deny contains finding if {
	istio.selects_by_label
	input.facts.mesh.selected == 0
	input.facts.mesh.neighbours > 0
	labels := [sprintf("%s=%v", [key, istio.selected_labels[key]]) | some key in sort(object.keys(istio.selected_labels))]
	finding := {
		"path": ["spec", "selector"],
		"message": sprintf("no workload has the labels %s: the policy protects nobody", [text.joined(", ", labels)]),
	}
}
