# METADATA
# title: Aggregated role that selects every role
# description: |
#   An empty selector takes every ClusterRole there is, cluster-admin among them: whoever is bound to
#   the aggregate may do everything.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [ClusterRole]
#   facts: [role_use]
package policies.access.selects_every_role

deny contains finding if {
	number := input.facts.role_use.selects_all
	number != null
	finding := {
		"path": ["aggregationRule", "clusterRoleSelectors", number],
		"message": "selects every ClusterRole, and so gives every right",
	}
}
