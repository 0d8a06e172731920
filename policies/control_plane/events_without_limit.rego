# METADATA
# title: API server without a limit on events
# description: |
#   Whoever makes events without end fills the store of the cluster. The plugin EventRateLimit slows
#   them down, and needs a file that says how far.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     the plugin has been in alpha since 1.9, events are short-lived, and priority and fairness
#     slows down who asks too much
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0121
#     - trivy:KCV-0010
#     - checkov:CKV_K8S_78
#     - kics:event_rate_limit_admission_control_plugin_not_set
#     - prowler:apiserver_event_rate_limit
package policies.control_plane.events_without_limit

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "EventRateLimit" in flags.items(server, "enable-admission-plugins")
	finding := flags.told(server, "enable-admission-plugins", "takes events without limit: plugin EventRateLimit is not on")
}
