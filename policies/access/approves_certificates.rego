# METADATA
# title: Rights to approve certificates
# description: |
#   A client certificate of the signer of the API server is whoever it names, any user and any group
#   but system:masters, until it expires: it cannot be revoked. Whoever approves and may ask as well
#   gives it to themselves.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0280
#     - checkov:CKV_K8S_156
#     - kyverno:restrict-clusterrole-csr
#     - prowler:rbac_minimize_csr_approval_access
package policies.access.approves_certificates

import data.lib.rights

deny contains finding if {
	rights.gives("approves-certificates")
	finding := rights.everywhere("approves-certificates", "approve certificates")
}
