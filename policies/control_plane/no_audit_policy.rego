# METADATA
# title: API server without a policy of audit
# description: |
#   Which requests are recorded is said by a policy. Without one nothing is, wherever the log would
#   be.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0160
#     - kics:audit_policy_file_not_defined
package policies.control_plane.no_audit_policy

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "audit-policy-file")
	finding := flags.told(server, "audit-policy-file", "has no policy that says which requests are recorded")
}
