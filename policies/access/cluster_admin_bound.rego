# METADATA
# title: Bound to cluster-admin
# description: |
#   cluster-admin may do everything, those things included that come later. Bound everywhere (high) it
#   is for the few who keep the cluster, and then best as a group; bound in one namespace (medium) it
#   is more than admin is: it gives quotas, the namespace itself, and whatever an extension adds. The
#   binding that an API server makes for itself is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [grant]
#   equivalents:
#     - kubescape:C-0035
#     - kubescape:C-0185
#     - trivy:KSV-0111
#     - kube-linter:cluster-admin-role-binding
#     - polaris:clusterrolebindingClusterAdmin
#     - polaris:rolebindingClusterAdminClusterRole
#     - polaris:rolebindingClusterAdminRole
#     - kics:cluster_admin_role_binding_with_super_user_permissions
#     - kyverno:restrict-binding-clusteradmin
#     - kyverno:block-cluster-admin-from-ns
#     - prowler:rbac_cluster_admin_usage
package policies.access.cluster_admin_bound

import data.lib.text

deny contains finding if {
	grant := input.facts.grant
	grant.role == "ClusterRole cluster-admin"
	count(grant.subjects) > 0
	finding := {
		"path": ["roleRef"],
		"severity": grade[grant.everywhere],
		"message": sprintf("binds %s to cluster-admin, %s", [
			text.joined(", ", [one.who | some one in grant.subjects]),
			grant.where,
		]),
	}
}

grade := {true: "high", false: "medium"}
