# METADATA
# title: API server shows kubelets no certificate
# description: |
#   Without a client certificate the server is nobody to its kubelets: they have to take requests of
#   anybody, or those of the server fail.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0116
#     - trivy:KCV-0005
#     - checkov:CKV_K8S_72
#     - kics:kubelet_client_certificate_or_key_not_set
#     - prowler:apiserver_kubelet_tls_auth
package policies.control_plane.no_certificate_for_kubelets

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	some flag in ["kubelet-client-certificate", "kubelet-client-key"]
	not flags.is_set(server, flag)
	finding := flags.told(server, flag, sprintf("shows kubelets no certificate: --%s is not set", [flag]))
}
