# METADATA
# title: Token that nothing needs
# description: |
#   The token of a service account is mounted into every container unless the pod or the account says
#   otherwise. Whoever reads it speaks to the API server as the workload. Told where nothing shows that
#   it is needed: no binding grants the account anything, and no container calls kubectl. That the pod
#   asks for it by automountServiceAccountToken: true does not show it: charts write that for all.
#   Strict alone asks, for the binding may be where we cannot see, and a token may be shown to others
#   than the API server.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   facts: [identity]
#   controls: [cis-2.0.1/5.1.6]
#   equivalents:
#     - kubescape:C-0034
#     - kubescape:C-0190
#     - trivy:KSV-0036
#     - checkov:CKV_K8S_38
#     - polaris:automountServiceAccountToken
#     - popeye:POP-301
#     - kics:service_account_token_automount_not_disabled
#     - kyverno:restrict-automount-sa-token
#     - gatekeeper:automount-serviceaccount-token
#     - kubesec:AutomountServiceAccountToken
#   near: [kubescape:C-0261]
package policies.workload.unneeded_service_account_token

import data.lib.tokens

deny contains finding if {
	tokens.identity.account != "default"
	tokens.identity.bound == false
	tokens.is_mounted
	not tokens.calls_kubectl
	finding := {
		"path": tokens.place,
		"message": sprintf("%s the token of the account '%s', which nothing shows to be needed", [
			comes,
			tokens.identity.account,
		]),
		"fix": tokens.without,
	}
}

comes := "asks for" if tokens.is_asked_for

comes := "is given" if not tokens.is_asked_for
