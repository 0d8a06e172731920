# METADATA
# title: Star in a role
# description: |
#   A star also means what is added later: every verb contains impersonate, bind and escalate, every
#   resource all subresources, as pods/exec, and every group those of definitions that nobody has
#   installed yet. Of rules with names nothing is said, and a role of nothing but stars is told as
#   such. Every verb alone, on resources that are named, is of low severity.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0187
#     - trivy:KSV-0044
#     - trivy:KSV-0045
#     - trivy:KSV-0046
#     - trivy:KSV-0112
#     - checkov:CKV_K8S_49
#     - kube-linter:wildcard-in-rules
#     - kics:rbac_wildcard_in_rule
#     - kyverno:restrict-wildcard-verbs
#     - kyverno:restrict-wildcard-resources
#     - prowler:rbac_minimize_wildcard_use_roles
package policies.access.wildcards

import data.lib.rights

deny contains finding if {
	told := rights.told
	told.everything == null
	some star in told.wildcards
	finding := {
		"path": ["rules", star.rule],
		"severity": grade(star, told),
		"message": sprintf("gives %s %s%s", [told.holders, star.told, rights.where]),
		"evidence": told.bindings,
	}
}

grade(star, told) := "medium" if is_grave(star, told)

grade(star, told) := "low" if not is_grave(star, told)

is_grave(star, told) if {
	told.everywhere
	not star.only_verbs
}
