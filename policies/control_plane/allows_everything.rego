# METADATA
# title: API server allows every request
# description: |
#   With the mode AlwaysAllow, which is the one that holds where none is written, whoever gets an
#   answer at all may do everything. What a file of authorization says is not seen, and not judged.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: critical
#   profile: essential
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0118
#     - trivy:KCV-0007
#     - checkov:CKV_K8S_74
#     - kics:authorization_mode_set_to_always_allow
#     - prowler:apiserver_auth_mode_not_always_allow
package policies.control_plane.allows_everything

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	"AlwaysAllow" in modes(server)
	not flags.is_set(server, "authorization-config")
	finding := object.union(flags.told(server, "authorization-mode", "allows every request"), {"fix": flags.setting_to(server, "authorization-mode", "Node,RBAC")})
}

# What holds where no mode is written.
modes(server) := flags.items(server, "authorization-mode") if flags.is_set(server, "authorization-mode")

modes(server) := ["AlwaysAllow"] if not flags.is_set(server, "authorization-mode")
