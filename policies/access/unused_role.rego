# METADATA
# title: Role that nobody is bound to
# description: |
#   It gives nothing until somebody binds it, and then whatever it has come to list. Nothing is said
#   of roles from which others are aggregated.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Charts bring roles for their users to bind, and bindings often stand in another repository.
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_use]
package policies.access.unused_role

deny contains finding if {
	input.facts.role_use.used == false
	finding := {"path": ["metadata", "name"], "message": "nobody is bound to it"}
}
