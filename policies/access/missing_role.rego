# METADATA
# title: Binding to a role that is not there
# description: |
#   It gives nothing today, and whatever somebody who makes a role of that name later writes into it:
#   to hold create on roles is then enough to give rights to those who are bound. In files nothing is
#   said where no role of that kind is among them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [binding_ends]
#   equivalents:
#     - popeye:POP-1300
package policies.access.missing_role

deny contains finding if {
	ends := input.facts.binding_ends
	ends.role != ""
	finding := {
		"path": ["roleRef", "name"],
		"message": sprintf("there is no %s: whoever makes it gives its rights to those who are bound here", [ends.role]),
	}
}
