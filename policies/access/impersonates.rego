# METADATA
# title: Rights to act as somebody else
# description: |
#   With impersonate somebody acts as another in every request, with all that the other may do. Users
#   and groups together include the group system:masters, which may do everything (high); users, or
#   the service accounts of every namespace, include the controllers of Kubernetes (medium). A right
#   to certain names is not told.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0065
#     - kubescape:C-0191
#     - trivy:KSV-0043
#     - checkov:CKV2_K8S_3
#     - kics:rbac_roles_with_impersonate_permission
package policies.access.impersonates

import data.lib.rights

deny contains finding if {
	rights.gives("impersonates-users")
	rights.gives("impersonates-groups")
	finding := object.union(
		rights.everywhere("impersonates-groups", "act as anybody, and as a member of system:masters"),
		{"severity": "high"},
	)
}

deny contains finding if {
	rights.gives("impersonates-users")
	not rights.gives("impersonates-groups")
	finding := object.union(
		rights.everywhere("impersonates-users", "act as any user"),
		{"severity": "medium"},
	)
}

deny contains finding if {
	rights.gives("impersonates-accounts")
	not rights.gives("impersonates-users")
	finding := rights.finding("impersonates-accounts", "act as service accounts")
}
