# METADATA
# title: Rights to make tokens of service accounts
# description: |
#   Whoever makes a token of an account is that account, until the token expires, and nobody sees it
#   in the cluster. In every namespace that includes the controllers of Kubernetes, some of which may
#   do anything. A right to the tokens of certain accounts is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0282
#     - prowler:rbac_minimize_service_account_token_creation
package policies.access.makes_tokens

import data.lib.rights

deny contains finding if {
	rights.gives("makes-tokens")
	finding := rights.finding("makes-tokens", "make tokens of service accounts")
}
