# METADATA
# title: Rights to delete workloads
# description: |
#   Whoever deletes pods or what makes them stops the application.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Whoever deploys has to delete as well; controllers and autoscalers delete pods all day.
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0007
package policies.access.deletes_workloads

import data.lib.rights

deny contains finding if {
	rights.would_give("deletes-workloads")
	finding := object.union(
		rights.finding("deletes-workloads", "delete workloads"),
		{"severity": "low"},
	)
}
