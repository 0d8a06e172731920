# METADATA
# title: Rights for the account 'default'
# description: |
#   Every pod of a namespace that names no service account runs as the one called 'default': what is
#   bound to it is given to all of them, to those of tomorrow too. Who needs rights needs an account
#   of its own.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# custom:
#   severity: medium
#   waivable: central
#   fix: deterministic
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [grant]
#   equivalents:
#     - kubescape:C-0189
#     - kubescape:C-0225
#     - kubescape:C-0239
#     - checkov:CKV_K8S_42
#     - kics:role_binding_to_default_service_account
#     - popeye:POP-308
package policies.access.default_account_bound

import data.lib.rights

deny contains finding if {
	grant := input.facts.grant
	some subject in grant.subjects
	subject.is in {"default"}
	finding := {
		"path": ["subjects", subject.index],
		"anchor": subject.who,
		"message": sprintf("gives %s, and so every pod that names no account, what %s gives, %s", [subject.who, grant.role, grant.where]),
		"fix": rights.taken_from(subject.who, subject.index),
	}
}
