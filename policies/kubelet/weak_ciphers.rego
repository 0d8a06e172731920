# METADATA
# title: Kubelet offers a weak cipher
# description: |
#   Ciphers without forward secrecy, or with RC4 or 3DES, can be read later or already now by who
#   records. None of them is offered unless a list names it. Read of the configuration that a
#   ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0184
#     - trivy:KCV-0092
#     - checkov:CKV_K8S_151
package policies.kubelet.weak_ciphers

import data.lib.components

deny contains finding if {
	components.kubelet
	some cipher in components.value("tlsCipherSuites", [])
	regex.match(`^TLS_RSA_|_RC4_|_3DES_`, cipher)
	finding := components.told("tlsCipherSuites", "the kubelet offers a weak cipher")
}
