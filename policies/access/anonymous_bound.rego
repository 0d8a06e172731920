# METADATA
# title: Rights for whoever asks
# description: |
#   The user system:anonymous and the group system:unauthenticated are everybody who reaches the API
#   server, without a password, a token or a certificate. What is open to all by default (whether the
#   server is well, its version) is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   waivable: central
#   fix: deterministic
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [grant]
#   equivalents:
#     - kubescape:C-0262
#     - trivy:KSV-0122
#     - kubesec:BindingsToSystemAnonymous
#     - gatekeeper:disallowanonymous
#     - kyverno:restrict-binding-system-groups
package policies.access.anonymous_bound

import data.lib.rights

deny contains finding if {
	grant := input.facts.grant
	not grant.usual
	some subject in grant.subjects
	subject.is in {"anonymous"}
	finding := {
		"path": ["subjects", subject.index],
		"anchor": subject.who,
		"message": sprintf("gives %s, without any credential, what %s gives, %s", [subject.who, grant.role, grant.where]),
		"fix": rights.taken_from(subject.who, subject.index),
	}
}
