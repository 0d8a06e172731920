# METADATA
# title: API server without the plugin ServiceAccount
# description: |
#   Without the plugin pods get no service account and no token that ends with them: people give
#   them credentials that last.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0125
#     - trivy:KCV-0014
#     - checkov:CKV_K8S_82
#     - kics:service_account_admission_control_plugin_disabled
#     - prowler:apiserver_service_account_plugin
package policies.control_plane.accounts_not_filled_in

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	"ServiceAccount" in flags.items(server, "disable-admission-plugins")
	finding := object.union(flags.told(server, "disable-admission-plugins", "gives pods no service account: plugin ServiceAccount is off"), {"fix": flags.without_item(server, "disable-admission-plugins", "ServiceAccount")})
}
