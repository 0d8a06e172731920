# METADATA
# title: API server asks nobody about images
# description: |
#   With the plugin ImagePolicyWebhook a service of one's own says which images may run.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     admission webhooks and policies do the same, can be changed without starting the server, and
#     are what is used today
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0289
#     - kics:image_policy_webhook_admission_control_plugin_not_set
package policies.control_plane.images_not_judged

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "ImagePolicyWebhook" in flags.items(server, "enable-admission-plugins")
	finding := flags.told(server, "enable-admission-plugins", "asks nobody about images: plugin ImagePolicyWebhook is not on")
}
