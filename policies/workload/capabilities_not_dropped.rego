# METADATA
# title: Keeps the default capabilities
# description: |
#   A container has some fourteen capabilities unless it drops them, NET_RAW among them. Most
#   programs that do not run as root use none. Strict alone asks for it: programs that start as root
#   and step down need a few of them, and have to be tried. Of a privileged container nothing is asked:
#   to drop them would change nothing there.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [pss-restricted/capabilities, cis-2.0.1/5.2.8, cis-2.0.1/5.2.9, cis-2.0.1/5.6.3]
#   equivalents:
#     - trivy:KSV-0003
#     - trivy:KSV-0106
#     - checkov:CKV_K8S_37
#     - checkov:CKV_K8S_36
#     - kubeaudit:CapabilityShouldDropAll
#     - kyverno:require-drop-all
#     - kyverno:disallow-capabilities-strict
#     - gatekeeper:capabilities
#     - kubesec:CapDropAll
#     - kubescape:C-0201
#     - kubescape:C-0220
#     - prowler:core_minimize_containers_capabilities_assigned
#     - trivy:KSV-0004
#     - kics:no_drop_capabilities_for_containers
#     - kubesec:CapDropAny
#     - kubeaudit:CapabilityOrSecurityContextMissing
#     - kubescape:C-0199
#     - checkov:CKV_K8S_28
#     - checkov:CKV_K8S_7
#     - kube-linter:drop-net-raw-capability
#     - kics:net_raw_capabilities_not_being_dropped
#     - kyverno:require-drop-cap-net-raw
#     - polaris:insecureCapabilities
#     - prowler:core_minimize_net_raw_capability_admission
package policies.workload.capabilities_not_dropped

import data.lib.workload

deny contains finding if {
	input.kubernetes >= 122
	not workload.exempt_windows
	some container in workload.containers
	not workload.privileged(container)
	not drops_all(container)
	finding := object.union(
		{
			"path": place(container),
			"anchor": workload.name(container),
			"message": sprintf("container '%s' does not drop all capabilities", [workload.name(container)]),
		},
		workload.unless_windows({
			"title": "drop all capabilities",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": list_path(container), "value": ["ALL"]}],
		}),
	)
}

drops_all(container) if {
	drops(container)
	"ALL" in container.spec.securityContext.capabilities.drop
}

list_path(container) := array.concat(container.path, ["securityContext", "capabilities", "drop"])

place(container) := list_path(container) if drops(container)

place(container) := array.concat(container.path, ["securityContext", "capabilities"]) if {
	has_capabilities(container)
	not drops(container)
}

place(container) := workload.place(container) if not has_capabilities(container)

has_capabilities(container) if is_object(container.spec.securityContext.capabilities)

drops(container) if is_array(container.spec.securityContext.capabilities.drop)
