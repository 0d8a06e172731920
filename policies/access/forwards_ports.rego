# METADATA
# title: Rights to forward ports of pods
# description: |
#   A forwarded port comes from the node of the pod: no NetworkPolicy is asked, and what listens for
#   the pod itself alone is reached as well.
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
#     - kubescape:C-0063
#     - kics:rbac_roles_with_portforwarding_permissions
package policies.access.forwards_ports

import data.lib.rights

deny contains finding if {
	rights.would_give("forwards-ports")
	finding := object.union(
		rights.finding("forwards-ports", "speak to every port of pods, past NetworkPolicies"),
		{"severity": "low"},
	)
}
