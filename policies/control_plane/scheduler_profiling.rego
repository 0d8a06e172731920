# METADATA
# title: Scheduler serves profiles of itself
# description: |
#   Profiles show what the program does and holds, and making them costs it time: who may ask for
#   them can slow it down. They are on unless the flag says otherwise.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-scheduler]
#   equivalents:
#     - kubescape:C-0151
#     - trivy:KCV-0040
#     - checkov:CKV_K8S_114
#     - prowler:scheduler_profiling
package policies.control_plane.scheduler_profiling

import data.lib.flags

deny contains finding if {
	some scheduler in flags.running("kube-scheduler")
	not flags.is_off(scheduler, "profiling", "true")
	not flags.is_set(scheduler, "config")
	finding := object.union(flags.told(scheduler, "profiling", "serves profiles of itself"), {"fix": flags.setting_to(scheduler, "profiling", "false")})
}
