# METADATA
# title: API server does not verify the certificates of kubelets
# description: |
#   Whoever stands between server and kubelet, and shows any certificate, is taken for the kubelet:
#   logs and sessions of exec go through its hands.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0117
#     - trivy:KCV-0006
#     - checkov:CKV_K8S_73
#     - kics:kubelet_certificate_authority_not_set
#     - prowler:apiserver_kubelet_cert_auth
package policies.control_plane.kubelets_not_verified

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "kubelet-certificate-authority")
	finding := flags.told(server, "kubelet-certificate-authority", "does not verify the certificates of kubelets")
}
