# METADATA
# title: API server keeps no record of requests
# description: |
#   Without a log of audit, or a webhook that is sent one, nobody can tell afterwards who did what.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0130
#     - kubescape:C-0067
#     - trivy:KCV-0019
#     - checkov:CKV_K8S_91
#     - kics:audit_log_path_not_set
#     - prowler:apiserver_audit_log_path_set
package policies.control_plane.no_audit_log

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not recorded(server)
	finding := flags.told(server, "audit-log-path", "keeps no record of who asks for what")
}

recorded(server) if {
	some flag in ["audit-log-path", "audit-webhook-config-file"]
	flags.is_set(server, flag)
}
