# METADATA
# title: Token of the account 'default'
# description: |
#   Every pod of a namespace that names no service account is given a token of the one called
#   'default'. What that account is granted, all of them may do, and nobody can tell who did. A pod
#   that speaks to the API needs an account of its own; any other needs no token. Strict alone asks:
#   where nothing is granted to the account, its token opens little.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   facts: [identity]
#   controls: [cis-2.0.1/5.1.5, cis-2.0.1/5.1.6]
#   equivalents:
#     - kubescape:C-0189
#     - kubescape:C-0034
#     - kubescape:C-0190
#     - checkov:CKV_K8S_41
#     - checkov:CKV_K8S_42
#     - checkov:CKV_K8S_38
#     - trivy:KSV-0036
#     - kube-linter:default-service-account
#     - polaris:automountServiceAccountToken
#     - popeye:POP-300
#     - popeye:POP-301
#     - popeye:POP-308
#     - kubeaudit:AutomountServiceAccountTokenTrueAndDefaultSA
#     - kics:service_account_name_undefined_or_empty
#     - kics:service_account_token_automount_not_disabled
#     - kyverno:restrict-automount-sa-token
#     - gatekeeper:automount-serviceaccount-token
#     - kubesec:ServiceAccountName
#     - kubesec:AutomountServiceAccountToken
package policies.workload.default_service_account

import data.lib.tokens

deny contains finding if {
	tokens.identity.account == "default"
	tokens.is_mounted
	finding := object.union(
		{
			"path": tokens.place,
			"message": sprintf("is given the token of the account 'default'%s", [use]),
		},
		fix,
	)
}

use := ", which a binding grants rights" if tokens.identity.bound == true

use := "" if not tokens.identity.bound == true

# Who asks for it, or is granted something by it, needs an account and not a patch.
fix := {"fix": tokens.without} if not is_used

fix := {} if is_used

is_used if tokens.identity.bound == true

is_used if tokens.is_asked_for
