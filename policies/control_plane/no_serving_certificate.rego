# METADATA
# title: API server without a serving certificate
# description: |
#   The server makes one that nobody signed: clients cannot tell it from whoever stands between.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0138
#     - trivy:KCV-0027
#     - checkov:CKV_K8S_100
#     - kics:tls_connection_certificate_not_setup
#     - prowler:apiserver_tls_config
package policies.control_plane.no_serving_certificate

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	some flag in ["tls-cert-file", "tls-private-key-file"]
	not flags.is_set(server, flag)
	finding := flags.told(server, flag, sprintf("serves a certificate that nobody signed: --%s is not set", [flag]))
}
