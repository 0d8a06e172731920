# METADATA
# title: API server without the plugin NamespaceLifecycle
# description: |
#   Without the plugin objects are made in namespaces that do not exist or are on their way out,
#   where nobody looks and no policy selects them; and the namespaces of the system can be deleted.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0126
#     - trivy:KCV-0015
#     - checkov:CKV_K8S_83
#     - kics:namespace_lifecycle_admission_control_plugin_disabled
#     - prowler:apiserver_namespace_lifecycle_plugin
package policies.control_plane.namespaces_unguarded

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	"NamespaceLifecycle" in flags.items(server, "disable-admission-plugins")
	finding := object.union(flags.told(server, "disable-admission-plugins", "makes objects in namespaces that are not there: plugin NamespaceLifecycle is off"), {"fix": flags.without_item(server, "disable-admission-plugins", "NamespaceLifecycle")})
}
