# METADATA
# title: Controller manager gives pods no authority to verify the API server
# description: |
#   Pods then cannot tell the API server from whoever stands between, and many clients stop to
#   verify.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0148
#     - trivy:KCV-0037
#     - checkov:CKV_K8S_111
#     - kics:root_ca_file_not_defined
#     - prowler:controllermanager_root_ca_file_set
package policies.control_plane.no_root_authority

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.is_set(manager, "root-ca-file")
	finding := flags.told(manager, "root-ca-file", "gives pods nothing to verify the API server with")
}
