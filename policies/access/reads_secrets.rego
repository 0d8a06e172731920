# METADATA
# title: Rights to read Secrets
# description: |
#   Whoever reads the Secrets of a namespace has every credential that is kept there, and the tokens
#   of service accounts among them; to list or to watch them is to read them. A right to Secrets of
#   certain names is not told. Medium where it holds in every namespace.
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
#     - kubescape:C-0015
#     - kubescape:C-0186
#     - trivy:KSV-0041
#     - trivy:KSV-0113
#     - checkov:CKV2_K8S_5
#     - kube-linter:access-to-secrets
#     - kics:rbac_roles_with_read_secrets_permissions
#     - kics:service_account_allows_access_secrets
#     - kyverno:restrict-secret-role-verbs
#     - prowler:rbac_minimize_secret_access
package policies.access.reads_secrets

import data.lib.rights

deny contains finding if {
	rights.would_give("reads-secrets")
	finding := rights.finding("reads-secrets", "read Secrets")
}
