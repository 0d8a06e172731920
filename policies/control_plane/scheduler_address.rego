# METADATA
# title: Scheduler listens on every address
# description: |
#   Metrics and health are for who is on the node. On every address they are open to the network of
#   the nodes, and so is every fault in them.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-scheduler]
#   equivalents:
#     - kubescape:C-0152
#     - trivy:KCV-0041
#     - checkov:CKV_K8S_115
#     - prowler:scheduler_bind_address
package policies.control_plane.scheduler_address

import data.lib.flags

deny contains finding if {
	some scheduler in flags.running("kube-scheduler")
	not flags.value(scheduler, "bind-address", "0.0.0.0") in ["127.0.0.1", "::1", "localhost"]
	not flags.is_set(scheduler, "config")
	finding := object.union(flags.told(scheduler, "bind-address", "listens beyond the node"), {"fix": flags.setting_to(scheduler, "bind-address", "127.0.0.1")})
}
