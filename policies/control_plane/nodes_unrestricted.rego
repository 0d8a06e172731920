# METADATA
# title: API server without the plugin NodeRestriction
# description: |
#   A kubelet may then change any Node and any pod: whoever owns one node gives itself labels that
#   draw pods with Secrets, and takes the cluster from there.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0127
#     - trivy:KCV-0016
#     - checkov:CKV_K8S_85
#     - kics:node_restriction_admission_control_plugin_not_set
#     - prowler:apiserver_node_restriction_plugin
package policies.control_plane.nodes_unrestricted

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "NodeRestriction" in flags.items(server, "enable-admission-plugins")
	finding := object.union(flags.told(server, "enable-admission-plugins", "lets a kubelet change other nodes: plugin NodeRestriction is not on"), {"fix": flags.with_item(server, "enable-admission-plugins", "NodeRestriction")})
}
