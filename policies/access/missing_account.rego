# METADATA
# title: Binding of a service account that is not there
# description: |
#   It gives nothing today, and its rights to whoever makes an account of that name: often the name is
#   a slip, and the pod that needs the rights has none. In files nothing is said of a namespace of
#   which there is no account.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [RoleBinding, ClusterRoleBinding]
#   facts: [binding_ends]
#   equivalents:
#     - kubescape:C-0307
#     - kyverno:check-serviceaccount
#     - popeye:POP-1300
#   near: [kube-linter:non-existent-service-account]
package policies.access.missing_account

deny contains finding if {
	some account in input.facts.binding_ends.accounts
	finding := {
		"path": ["subjects", account.index],
		"message": sprintf("there is no %s: whoever makes it is given these rights", [account.who]),
	}
}
