# METADATA
# title: Kubelet keeps idle streams for ever
# description: |
#   Sessions that nobody ended hold memory and ports of the node; enough of them, and nobody else
#   gets one. Read of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0176
#     - trivy:KCV-0085
#     - checkov:CKV_K8S_143
#     - kics:kubelet_streaming_connection_timeout_disabled
#     - prowler:kubelet_streaming_connection_timeout
package policies.kubelet.idle_streams

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("streamingConnectionIdleTimeout", "4h") in ["0", "0s", "0m", "0h", 0]
	finding := components.told("streamingConnectionIdleTimeout", "the kubelet keeps idle streams for ever")
}
