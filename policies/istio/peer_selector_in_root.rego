# METADATA
# title: Mode for single workloads of the mesh
# description: |
#   A PeerAuthentication of the root namespace that selects workloads by label is left out
#   everywhere, for the workloads of the root namespace too; an AuthorizationPolicy of that kind
#   counts in every namespace. Recorded from Istio's own code: the ports that it made STRICT stayed
#   PERMISSIVE.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#peer-authentication
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [PeerAuthentication]
#   facts: [mesh]
package policies.istio.peer_selector_in_root

import data.lib.istio

deny contains finding if {
	input.facts.mesh.in_root
	istio.selects_by_label
	finding := {
		"path": ["spec", "selector"],
		"message": sprintf("in the root namespace %s, a PeerAuthentication with a selector counts for nobody", [input.facts.mesh.root_namespace]),
	}
}
