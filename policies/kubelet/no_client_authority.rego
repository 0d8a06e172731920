# METADATA
# title: Kubelet takes no client certificates
# description: |
#   The API server is then nobody to it, or has to use a token that can be copied. Read of the
#   configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0174
#     - kubescape:C-0070
#     - trivy:KCV-0081
#     - checkov:CKV_K8S_140
#     - prowler:kubelet_client_ca_file_set
package policies.kubelet.no_client_authority

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("authentication.x509.clientCAFile", "") == ""
	finding := components.told("authentication.x509.clientCAFile", "the kubelet takes no client certificates")
}
