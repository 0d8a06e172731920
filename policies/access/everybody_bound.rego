# METADATA
# title: Rights for everybody
# description: |
#   Everybody who logs on is in system:authenticated, and every pod that holds a token in
#   system:serviceaccounts: what is bound to them is given to each, to those of other teams and to
#   whoever breaks into any pod. High where the role gives more than to look. What is open to all by
#   default is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: deterministic
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [grant]
#   equivalents:
#     - kubescape:C-0265
#     - trivy:KSV-01011
#     - gatekeeper:disallowanonymous
#     - kyverno:restrict-binding-system-groups
package policies.access.everybody_bound

import data.lib.rights

deny contains finding if {
	grant := input.facts.grant
	not grant.usual
	some subject in grant.subjects
	subject.is in {"everybody", "accounts"}
	finding := {
		"path": ["subjects", subject.index],
		"anchor": subject.who,
		"severity": grade,
		"message": sprintf("gives %s, and so everybody, what %s gives, %s", [subject.who, grant.role, grant.where]),
		"fix": rights.taken_from(subject.who, subject.index),
	}
}

grade := "high" if is_grave

grade := "medium" if not is_grave

# Whoever is given everything is given each of these.
is_grave if count(input.facts.grant.powers) > 0
