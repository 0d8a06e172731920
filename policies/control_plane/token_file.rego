# METADATA
# title: API server takes tokens out of a file
# description: |
#   Tokens of a file are in plain text on the node, never expire, and are changed by starting the
#   server again: one that leaks stays good.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0114
#     - trivy:KCV-0002
#     - checkov:CKV_K8S_70
#     - kics:token_auth_file_is_set
#     - prowler:apiserver_no_token_auth_file
package policies.control_plane.token_file

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.is_set(server, "token-auth-file")
	finding := object.union(flags.told(server, "token-auth-file", "takes tokens out of a file, which never expire"), {"fix": flags.without(server, "token-auth-file")})
}
