# METADATA
# title: Controllers share one account
# description: |
#   Each controller then may do what any of them may, and a log of audit cannot tell them apart.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0146
#     - trivy:KCV-0035
#     - checkov:CKV_K8S_108
#     - kics:use_service_account_credentials_not_set_to_true
#     - prowler:controllermanager_service_account_credentials
package policies.control_plane.shared_controller_credentials

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.is_on(manager, "use-service-account-credentials", "false")
	finding := object.union(flags.told(manager, "use-service-account-credentials", "runs all controllers as one account"), {"fix": flags.setting_to(manager, "use-service-account-credentials", "true")})
}
