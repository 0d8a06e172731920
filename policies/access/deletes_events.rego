# METADATA
# title: Rights to delete events
# description: |
#   Events show what was done and by whom; whoever deletes them hides it. Nothing has to: they expire.
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
#     - kubescape:C-0031
#     - trivy:KSV-0042
package policies.access.deletes_events

import data.lib.rights

deny contains finding if {
	rights.would_give("deletes-events")
	finding := object.union(
		rights.finding("deletes-events", "delete events"),
		{"severity": "low"},
	)
}
