# METADATA
# title: Kubelet with a port that asks for no credentials
# description: |
#   Its read-only port tells whoever reaches it which pods run on the node, with their variables.
#   Read of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0175
#     - trivy:KCV-0082
#     - checkov:CKV_K8S_141
#     - kics:kubelet_read_only_port_is_not_set_to_zero
#     - prowler:kubelet_disable_read_only_port
package policies.kubelet.read_only_port

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("readOnlyPort", 0) != 0
	finding := components.told("readOnlyPort", "the kubelet answers on a port that asks for no credentials")
}
