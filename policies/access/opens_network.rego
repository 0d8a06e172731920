# METADATA
# title: Rights to change NetworkPolicies
# description: |
#   Whoever writes NetworkPolicies decides who reaches whom, and whoever deletes one opens what it
#   closed.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - trivy:KSV-0056
package policies.access.opens_network

import data.lib.rights

deny contains finding if {
	rights.would_give("opens-network")
	finding := object.union(
		rights.finding("opens-network", "open what NetworkPolicies close"),
		{"severity": "low"},
	)
}
