# METADATA
# title: Rights to change what judges admission
# description: |
#   A mutating webhook rewrites whatever is written, pods among it; a validating one is sent it,
#   Secrets among it; and whoever deletes one takes a guard away. Who keeps the certificates of
#   webhooks up to date needs to patch one of a certain name, which is not told.
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
#     - kubescape:C-0281
#     - trivy:KSV-0114
#     - checkov:CKV_K8S_155
#     - kyverno:restrict-clusterrole-mutating-validating-admission-webhooks
#     - prowler:rbac_minimize_webhook_config_access
package policies.access.changes_admission

import data.lib.rights

deny contains finding if {
	rights.gives("rewrites-requests")
	finding := rights.everywhere("rewrites-requests", "rewrite whatever others write")
}

deny contains finding if {
	rights.gives("sees-requests")
	not rights.gives("rewrites-requests")
	finding := rights.everywhere("sees-requests", "see whatever others write, or take a guard away")
}
