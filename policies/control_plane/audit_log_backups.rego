# METADATA
# title: Too few old logs of audit kept
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
#     - kubescape:C-0132
#     - trivy:KCV-0021
#     - checkov:CKV_K8S_93
#     - kics:audit_log_maxbackup_not_properly_set
#     - prowler:apiserver_audit_log_maxbackup_set
package policies.control_plane.audit_log_backups

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	set_to := flags.number(server, "audit-log-maxbackup")
	set_to < 10
	finding := object.union(flags.told(server, "audit-log-maxbackup", told(set_to)), {"fix": flags.setting_to(server, "audit-log-maxbackup", "10")})
}

# Without a limit of number the age of old logs is the only one, if there is any.
told(-1) := "is not told how many old logs of audit to keep"

told(0) := "keeps old logs of audit without a limit of number: 0 is none"

told(logs) := "keeps less than 10 old logs of audit" if logs > 0
