# METADATA
# title: Rights to raise rights
# description: |
#   The API server lets nobody bind a role, or write into one, that gives more than they hold
#   themselves, unless they may bind or escalate: who may, and may write bindings or roles as well,
#   gives themselves whatever they like. High where that is in every namespace. A right to certain
#   roles is not told.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0191
#     - trivy:KSV-0050
#     - trivy:KSV-0051
#     - trivy:KSV-0052
#     - trivy:KSV-0055
#     - checkov:CKV_K8S_157
#     - checkov:CKV_K8S_158
#     - checkov:CKV2_K8S_1
#     - kics:rbac_roles_allow_privilege_escalation
#     - kyverno:restrict-escalation-verbs-roles
package policies.access.raises_rights

import data.lib.rights

deny contains finding if {
	rights.gives("raises-rights")
	finding := object.union(
		rights.finding("raises-rights", "give themselves whatever rights they like"),
		{"severity": grade[rights.told.everywhere]},
	)
}

grade := {true: "high", false: "medium"}
