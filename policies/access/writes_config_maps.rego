# METADATA
# title: Rights to write ConfigMaps
# description: |
#   What an application does is often said in a ConfigMap: names in that of CoreDNS, users of AWS in
#   aws-auth. A right to those of certain names is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     ConfigMaps are how applications are set up, and how many of them elect their leader.
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0037
#     - trivy:KSV-0049
#     - trivy:KSV-0115
package policies.access.writes_config_maps

import data.lib.rights

deny contains finding if {
	rights.would_give("writes-config-maps")
	finding := object.union(
		rights.finding("writes-config-maps", "write ConfigMaps"),
		{"severity": "low"},
	)
}
