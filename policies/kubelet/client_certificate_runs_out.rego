# METADATA
# title: Client certificate of kubelets is not renewed
# description: |
#   When it runs out the node is lost to the cluster; until then a key that leaked stays good. Read
#   of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0182
#     - trivy:KCV-0090
#     - checkov:CKV_K8S_149
#     - kics:kubelet_client_periodic_certificate_switch_disabled
#     - prowler:kubelet_rotate_certificates
package policies.kubelet.client_certificate_runs_out

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("rotateCertificates", false) == false
	finding := components.told("rotateCertificates", "the kubelet does not renew its client certificate")
}
