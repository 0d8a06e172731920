# METADATA
# title: API server stores Secrets as they are
# description: |
#   Whoever gets the disk, a snapshot or a backup of etcd has every Secret of the cluster. With a
#   file that names providers they are encrypted on their way; what that file says is on the node
#   and not seen.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0141
#     - kubescape:C-0066
#     - trivy:KCV-0030
#     - kics:encryption_provider_config_is_not_defined
#     - prowler:apiserver_encryption_provider_config_set
package policies.control_plane.secrets_in_plain_text

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "encryption-provider-config")
	finding := flags.told(server, "encryption-provider-config", "stores Secrets as they are")
}
