# METADATA
# title: Log of audit kept too shortly
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
#     - kubescape:C-0131
#     - trivy:KCV-0020
#     - checkov:CKV_K8S_92
#     - kics:audit_log_maxage_not_properly_set
#     - prowler:apiserver_audit_log_maxage_set
package policies.control_plane.audit_log_age

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	set_to := flags.number(server, "audit-log-maxage")
	set_to < 30
	finding := object.union(flags.told(server, "audit-log-maxage", told(set_to)), {"fix": flags.setting_to(server, "audit-log-maxage", "30")})
}

# Without a limit of age the number of old logs is the only one, if there is any.
told(-1) := "is not told for how many days to keep its logs of audit"

told(0) := "keeps its logs of audit without a limit of age: 0 days are none"

told(days) := "keeps its logs of audit for less than 30 days" if days > 0
