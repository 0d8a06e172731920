# METADATA
# title: Kubelet changes kernel settings by itself
# description: |
#   Where the settings of the node are not those that it expects, it sets them, past whoever
#   hardened the node, where it could refuse to start. Read of the configuration that a ConfigMap of
#   kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0177
#     - trivy:KCV-0083
#     - checkov:CKV_K8S_144
#     - kics:kubelet_protect_kernel_defaults_set_to_false
package policies.kubelet.kernel_defaults_changed

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("protectKernelDefaults", false) == false
	finding := components.told("protectKernelDefaults", "the kubelet changes kernel settings of its node by itself")
}
