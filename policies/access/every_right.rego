# METADATA
# title: Role that gives every right
# description: |
#   A rule of nothing but stars gives every verb on every resource, those that come later included: as
#   much as cluster-admin where it is bound everywhere (high), all of a namespace where it is bound
#   there (medium). Whoever needs it for a controller that deploys anything can give it per namespace.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0035
#     - kubescape:C-0185
#     - kubescape:C-0187
#     - trivy:KSV-0044
#     - trivy:KSV-0111
#     - checkov:CKV_K8S_49
#     - kube-linter:wildcard-in-rules
#     - polaris:rolebindingClusterAdminClusterRole
#     - polaris:rolebindingClusterAdminRole
#     - polaris:clusterrolebindingClusterAdmin
#     - polaris:clusterrolePodExecAttach
#     - kics:rbac_wildcard_in_rule
package policies.access.every_right

import data.lib.rights

deny contains finding if {
	told := rights.told
	told.everything != null
	finding := {
		"path": ["rules", told.everything],
		"severity": grade,
		"message": sprintf("gives %s every right%s", [told.holders, rights.where]),
		"evidence": told.bindings,
	}
}

grade := "high" if rights.told.everywhere

grade := "medium" if {
	rights.told.bound
	not rights.told.everywhere
}

grade := "low" if not rights.told.bound
