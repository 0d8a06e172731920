# METADATA
# title: Kubelet without a serving certificate
# description: |
#   It makes one that nobody signed: the API server cannot tell it from whoever stands between. Read
#   of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0181
#     - trivy:KCV-0088
#     - trivy:KCV-0089
#     - checkov:CKV_K8S_148
#     - prowler:kubelet_tls_cert_and_key
package policies.kubelet.no_serving_certificate

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("tlsCertFile", "") == ""
	components.value("serverTLSBootstrap", false) == false
	finding := components.told("tlsCertFile", "the kubelet serves a certificate that nobody signed")
}
