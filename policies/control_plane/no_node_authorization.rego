# METADATA
# title: API server without Node authorization
# description: |
#   The mode Node gives each kubelet what its own pods need and no more. Without it kubelets need
#   rights by a role, which gives every node the Secrets of all.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0119
#     - trivy:KCV-0008
#     - checkov:CKV_K8S_75
#     - kics:authorization_mode_node_not_set
#     - prowler:apiserver_auth_mode_include_node
package policies.control_plane.no_node_authorization

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "Node" in flags.items(server, "authorization-mode")
	not flags.is_set(server, "authorization-config")
	finding := object.union(flags.told(server, "authorization-mode", "does not limit kubelets to what their own pods need: mode Node is missing"), {"fix": flags.setting_to(server, "authorization-mode", "Node,RBAC")})
}
