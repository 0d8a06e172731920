# METADATA
# title: API server takes passwords out of a file
# description: |
#   Passwords of a file are in plain text on the node and sent with every request. Kubernetes 1.19
#   took the flag away: a server that has it is older.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - checkov:CKV_K8S_69
#     - kics:basic_auth_file_is_set
package policies.control_plane.password_file

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.is_set(server, "basic-auth-file")
	finding := object.union(flags.told(server, "basic-auth-file", "takes passwords out of a file"), {"fix": flags.without(server, "basic-auth-file")})
}
