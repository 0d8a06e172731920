# METADATA
# title: Controller manager without a key that signs tokens
# description: |
#   Without a private key no token of a service account that is kept in a Secret can be made, and
#   people take others.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0147
#     - trivy:KCV-0036
#     - checkov:CKV_K8S_110
#     - kics:service_account_private_key_file_not_defined
#     - prowler:controllermanager_service_account_private_key_file
package policies.control_plane.no_signing_key

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.is_set(manager, "service-account-private-key-file")
	finding := flags.told(manager, "service-account-private-key-file", "has no key to sign the tokens of service accounts with")
}
