# METADATA
# title: Capability beyond the default set
# description: |
#   Container runtimes give a set of capabilities that is known to work without harming others.
#   Each one beyond it opens a part of the kernel that its authors meant for administrators: NET_ADMIN
#   changes routes and firewalls, NET_RAW forges packets in the name of neighbours.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/capabilities, pss-restricted/capabilities, cis-2.0.1/5.2.8, cis-2.0.1/5.2.9]
#   equivalents:
#     - kubescape:C-0046
#     - kubescape:C-0200
#     - kubescape:C-0219
#     - trivy:KSV-0022
#     - trivy:KSV-0119
#     - checkov:CKV_K8S_25
#     - checkov:CKV_K8S_24
#     - polaris:insecureCapabilities
#     - kics:containers_with_added_capabilities
#     - kics:psp_with_added_capabilities
#     - kyverno:disallow-capabilities
#     - gatekeeper:capabilities
#     - kubeaudit:CapabilityAdded
#     - prowler:core_minimize_containers_added_capabilities
package policies.workload.added_capabilities

import data.lib.capabilities
import data.lib.workload

deny contains finding if {
	some capability in capabilities.added
	not capability.name in capabilities.default_set
	not capabilities.is_node_wide(capability.name)
	finding := {
		"path": capability.path,
		"anchor": capability.anchor,
		"message": sprintf("container '%s' adds the capability '%v', which is not in the default set", [
			workload.name(capability.container), capability.name,
		]),
		"fix": {
			"title": "add no capability beyond the default set",
			"safety": "unsafe",
			"patch": [capabilities.keeping(capability.container, capabilities.default_set)],
		},
	}
}
