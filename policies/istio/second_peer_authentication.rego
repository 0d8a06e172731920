# METADATA
# title: Second PeerAuthentication of one scope
# description: |
#   Of several PeerAuthentications of the mesh, of a namespace or of a workload, the oldest gives the
#   mode, and by name where two are as old; a younger one is left out without a word, but for its
#   `portLevelMtls`. Recorded from Istio's own code: an older policy that said nothing
#   (UNSET) beat a younger STRICT one, and the ports took plain text.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#peer-authentication
# custom:
#   severity: medium
#   profile: essential
#   fix: manual
#   kinds: [PeerAuthentication]
#   facts: [mesh]
package policies.istio.second_peer_authentication

import data.lib.istio

deny contains finding if {
	some other in input.facts.mesh.outranked
	other.mode != mode
	finding := {
		"path": place,
		"anchor": other.name,
		"message": sprintf("%s (%s) %s%s", [other.name, other.mode, meaning(other), shared(other)]),
	}
}

mode := object.get(istio.peer, ["mtls", "mode"], "UNSET")

place := ["spec", "mtls"] if is_object(istio.peer.mtls)

place := ["metadata", "name"] if not has_mtls

has_mtls if is_object(istio.peer.mtls)

meaning(other) := "is older and counts in its place" if other.dated

meaning(other) := "is of the same scope, and only the one that was made first counts" if not other.dated

shared(other) := sprintf(" for %s", [other.first]) if other.first != ""

shared(other) := "" if other.first == ""
