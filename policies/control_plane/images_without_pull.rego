# METADATA
# title: API server without the plugin AlwaysPullImages
# description: |
#   An image that is on a node already starts there for whoever names it, without credentials of its
#   registry. The plugin makes every start ask the registry.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     every start then needs the registry, which makes it a part whose loss stops the cluster; since
#     1.35 the kubelet itself asks who may use an image that is there
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0123
#     - trivy:KCV-0012
#     - checkov:CKV_K8S_80
#     - kics:always_pull_images_admission_control_plugin_not_set
#     - prowler:apiserver_always_pull_images_plugin
package policies.control_plane.images_without_pull

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "AlwaysPullImages" in flags.items(server, "enable-admission-plugins")
	finding := object.union(flags.told(server, "enable-admission-plugins", "starts images of a node without asking their registry: plugin AlwaysPullImages is not on"), {"fix": flags.with_item(server, "enable-admission-plugins", "AlwaysPullImages")})
}
