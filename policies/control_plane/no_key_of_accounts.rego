# METADATA
# title: API server without a key of its own for service accounts
# description: |
#   Without the flag tokens are checked with the key of the server's own TLS: who changes that
#   changes who is believed, and one key serves two purposes.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0136
#     - trivy:KCV-0025
#     - checkov:CKV_K8S_97
#     - kics:service_account_key_file_not_properly_set
#     - prowler:apiserver_service_account_key_file_set
package policies.control_plane.no_key_of_accounts

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "service-account-key-file")
	finding := flags.told(server, "service-account-key-file", "has no key of its own for the tokens of service accounts")
}
