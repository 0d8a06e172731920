# METADATA
# title: Controller manager serves profiles of itself
# description: |
#   Profiles show what the program does and holds, and making them costs it time: who may ask for
#   them can slow it down. They are on unless the flag says otherwise.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0145
#     - trivy:KCV-0034
#     - checkov:CKV_K8S_107
#     - prowler:controllermanager_disable_profiling
package policies.control_plane.controller_manager_profiling

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.is_off(manager, "profiling", "true")
	finding := object.union(flags.told(manager, "profiling", "serves profiles of itself"), {"fix": flags.setting_to(manager, "profiling", "false")})
}
