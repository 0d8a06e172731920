# METADATA
# title: API server with the plugin AlwaysAdmit
# description: |
#   The plugin admits whatever comes. It is deprecated, does nothing useful, and says that somebody
#   wanted no admission at all.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0122
#     - trivy:KCV-0011
#     - checkov:CKV_K8S_79
#     - kics:always_admit_admission_control_plugin_set
#     - prowler:apiserver_always_admit_plugin
package policies.control_plane.admits_everything

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	"AlwaysAdmit" in flags.items(server, "enable-admission-plugins")
	finding := object.union(flags.told(server, "enable-admission-plugins", "has the plugin AlwaysAdmit"), {"fix": flags.without_item(server, "enable-admission-plugins", "AlwaysAdmit")})
}
