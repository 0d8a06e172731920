# METADATA
# title: API server serves profiles of itself
# description: |
#   Profiles show what the program does and holds, and making them costs it time: who may ask for
#   them can slow it down. They are on unless the flag says otherwise.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0129
#     - trivy:KCV-0018
#     - checkov:CKV_K8S_90
#     - kics:profiling_not_set_to_false
#     - prowler:apiserver_disable_profiling
package policies.control_plane.api_server_profiling

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_off(server, "profiling", "true")
	finding := object.union(flags.told(server, "profiling", "serves profiles of itself"), {"fix": flags.setting_to(server, "profiling", "false")})
}
