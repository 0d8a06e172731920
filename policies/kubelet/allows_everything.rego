# METADATA
# title: Kubelet allows every request
# description: |
#   Whoever gets an answer at all may run commands in every container of the node. Read of the
#   configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: critical
#   profile: essential
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0173
#     - trivy:KCV-0080
#     - checkov:CKV_K8S_139
#     - prowler:kubelet_authorization_mode
package policies.kubelet.allows_everything

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("authorization.mode", "Webhook") == "AlwaysAllow"
	finding := components.told("authorization.mode", "the kubelet allows every request")
}
