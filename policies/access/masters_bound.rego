# METADATA
# title: Binding of system:masters
# description: |
#   The group system:masters may do everything before any role is asked: a binding gives it nothing,
#   and shows that somebody counts on certificates of that group, which nobody can take back. Whoever
#   keeps the cluster is better in a group of its own that is bound to cluster-admin.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   waivable: central
#   fix: manual
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [grant]
#   equivalents:
#     - kubescape:C-0246
#     - trivy:KSV-0123
#     - kyverno:restrict-binding-system-groups
package policies.access.masters_bound

deny contains finding if {
	grant := input.facts.grant
	some subject in grant.subjects
	subject.is in {"masters"}
	finding := {
		"path": ["subjects", subject.index],
		"anchor": subject.who,
		"message": sprintf("names %s, which may do everything whatever %s gives, %s", [subject.who, grant.role, grant.where]),
	}
}
