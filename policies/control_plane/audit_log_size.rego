# METADATA
# title: Log of audit turned over too soon
# description: |
#   What happened is often asked weeks later: what was turned over too soon is gone by then. A
#   length that is written is one that somebody thought of.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0133
#     - trivy:KCV-0022
#     - checkov:CKV_K8S_94
#     - kics:audit_log_maxsize_not_properly_set
#     - prowler:apiserver_audit_log_maxsize_set
package policies.control_plane.audit_log_size

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	set_to := flags.number(server, "audit-log-maxsize")
	set_to < 100
	finding := object.union(flags.told(server, "audit-log-maxsize", told(set_to)), {"fix": flags.setting_to(server, "audit-log-maxsize", "100")})
}

told(-1) := "is not told at which size to begin a new log of audit"

told(0) := "is given 0 megabytes as size of its logs of audit, which is no size"

told(megabytes) := "begins a new log of audit before 100 megabytes" if megabytes > 0
