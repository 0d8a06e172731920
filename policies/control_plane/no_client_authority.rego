# METADATA
# title: API server takes no client certificates
# description: |
#   Components of the cluster then need tokens or passwords in its place, which can be copied where
#   a key can stay.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0139
#     - trivy:KCV-0028
#     - kics:client_certificate_authentication_not_setup_properly
#     - prowler:apiserver_client_ca_file_set
package policies.control_plane.no_client_authority

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "client-ca-file")
	not flags.is_set(server, "authentication-config")
	finding := flags.told(server, "client-ca-file", "takes no client certificates")
}
