# METADATA
# title: Capability that leads to the node
# description: |
#   Some capabilities of the kernel are as good as root on the node: SYS_ADMIN mounts its disks,
#   SYS_MODULE loads code into its kernel, SYS_PTRACE writes into other processes, DAC_READ_SEARCH
#   opens any file. A container that needs one of them needs another design, or a node of its own.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://man7.org/linux/man-pages/man7/capabilities.7.html
# custom:
#   severity: high
#   profile: essential
#   fix: deterministic
#   controls: [pss-baseline/capabilities, pss-restricted/capabilities, cis-2.0.1/5.2.9]
#   equivalents:
#     - kubescape:C-0046
#     - trivy:KSV-0005
#     - trivy:KSV-0120
#     - checkov:CKV_K8S_39
#     - polaris:dangerousCapabilities
#     - kics:containers_with_sys_admin_capabilities
#     - kubesec:CapSysAdmin
#     - kyverno:disallow-capabilities
#     - gatekeeper:capabilities
#     - kubeaudit:CapabilityAdded
package policies.workload.dangerous_capabilities

import data.lib.capabilities
import data.lib.workload

deny contains finding if {
	some capability in capabilities.added
	capabilities.is_node_wide(capability.name)
	finding := {
		"path": capability.path,
		"anchor": capability.anchor,
		"message": sprintf("container '%s' adds the capability '%s', which leads to its node", [
			workload.name(capability.container), capability.name,
		]),
		"fix": {
			"title": "add no capability beyond the default set",
			"safety": "unsafe",
			"patch": array.concat(
				[capabilities.keeping(capability.container, capabilities.default_set)],
				gaining_nothing(capability.container),
			),
		},
	}
}

gaining_nothing(container) := capabilities.no_escalation(container) if may_be_kept(container)

gaining_nothing(container) := [] if not may_be_kept(container)

# What had it by SYS_ADMIN, and has it not by being privileged.
may_be_kept(container) if {
	capabilities.administers(container)
	not workload.privileged(container)
}
