# METADATA
# title: API server without RBAC
# description: |
#   Without the mode RBAC no role and no binding means anything: who may do what is decided
#   elsewhere, or not at all.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0120
#     - trivy:KCV-0009
#     - checkov:CKV_K8S_77
#     - kics:authorization_mode_rbac_not_set
#     - prowler:apiserver_auth_mode_include_rbac
package policies.control_plane.no_rbac

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "RBAC" in flags.items(server, "authorization-mode")
	not flags.is_set(server, "authorization-config")
	finding := object.union(flags.told(server, "authorization-mode", "reads no roles: mode RBAC is missing"), {"fix": fix(server)})
}

fix(server) := flags.with_item(server, "authorization-mode", "RBAC") if flags.is_set(server, "authorization-mode")

fix(server) := flags.setting_to(server, "authorization-mode", "Node,RBAC") if {
	not flags.is_set(server, "authorization-mode")
}
