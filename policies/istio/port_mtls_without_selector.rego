# METADATA
# title: Mode of a port without a selector
# description: |
#   `portLevelMtls` counts only in a PeerAuthentication that selects workloads by label. In any other
#   Istio's webhook refuses it, and where that did not ask it is left out. Recorded from Istio's own
#   code: ports of such a policy had the mode of the namespace.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/peer_authentication/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [PeerAuthentication]
#   equivalents:
#     - istioctl:IST0106
package policies.istio.port_mtls_without_selector

import data.lib.istio

deny contains finding if {
	is_object(istio.peer.portLevelMtls)
	count(istio.peer.portLevelMtls) > 0
	not istio.selects_by_label
	finding := {
		"path": ["spec", "portLevelMtls"],
		"message": "modes of single ports count only beside a selector with labels: these ports have the mode of all others",
	}
}
