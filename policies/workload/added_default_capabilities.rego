# METADATA
# title: Capability given back
# description: |
#   Level Restricted lets a container keep NET_BIND_SERVICE and nothing else. A capability of the
#   default set, such as CHOWN or SETUID, that is added again is one more tool in the hands of
#   whoever breaks in; many images need it at their start alone.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [pss-restricted/capabilities, cis-2.0.1/5.2.9]
#   equivalents:
#     - trivy:KSV-0106
#     - kyverno:disallow-capabilities-strict
#     - gatekeeper:capabilities
#     - kubeaudit:CapabilityAdded
#     - prowler:core_minimize_containers_added_capabilities
#     - kics:containers_with_added_capabilities
package policies.workload.added_default_capabilities

import data.lib.capabilities
import data.lib.workload

harmless := {"NET_BIND_SERVICE"}

deny contains finding if {
	input.kubernetes >= 122
	not workload.exempt_windows
	some capability in capabilities.added
	capability.name in capabilities.default_set
	not capability.name in harmless
	finding := {
		"path": capability.path,
		"anchor": capability.anchor,
		"message": sprintf("container '%s' adds the capability '%s'", [
			workload.name(capability.container), capability.name,
		]),
		"fix": {
			"title": "add NET_BIND_SERVICE at most",
			"safety": "unsafe",
			"patch": [capabilities.keeping(capability.container, harmless)],
		},
	}
}
