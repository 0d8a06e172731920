# METADATA
# title: API server takes tokens of accounts that are gone
# description: |
#   Without the look-up a token stays good after its service account is deleted: who left keeps the
#   key.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0135
#     - trivy:KCV-0024
#     - checkov:CKV_K8S_96
#     - kics:service_account_lookup_set_to_false
#     - prowler:apiserver_service_account_lookup_true
package policies.control_plane.tokens_of_deleted_accounts

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.is_off(server, "service-account-lookup", "true")
	finding := object.union(flags.told(server, "service-account-lookup", "takes tokens of service accounts that are gone"), {"fix": flags.setting_to(server, "service-account-lookup", "true")})
}
