# METADATA
# title: Policy on a workload without a proxy
# description: |
#   It is the sidecar that enforces. A workload that is not injected, or a port that
#   `traffic.sidecar.istio.io/excludeInboundPorts` keeps from its sidecar, answers everybody, whatever
#   the policies say. Recorded from Istio's own code: all that a policy becomes is a part of the
#   listener of a proxy; where there is none, nothing is left of it.
# related_resources:
#   - https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
#   - https://istio.io/latest/docs/reference/config/annotations/#SidecarTrafficExcludeInboundPorts
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
#   facts: [mesh]
#   equivalents:
#     - istioctl:IST0103
package policies.istio.without_proxy

import data.lib.istio

deny contains finding if {
	some group in input.facts.mesh.uncovered
	finding := {
		"path": place,
		"anchor": group.first,
		"message": sprintf("%s: %s, so this policy protects nothing there", [istio.who(group), group.why]),
	}
}

place := ["spec", "selector"] if istio.selector

place := ["metadata", "name"] if not istio.selector
