# METADATA
# title: Rights to start pods
# description: |
#   A pod may run as any service account of its namespace, mount any Secret there and, where Pod
#   Security lets it, own its node: whoever starts pods has all of that. To write a Deployment or a
#   Job is to start pods. Medium where it holds in every namespace.
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
#     - kubescape:C-0188
#     - trivy:KSV-0048
#     - kube-linter:access-to-create-pods
#     - kics:permissive_access_to_create_pods
#     - prowler:rbac_minimize_pod_creation_access
package policies.access.starts_pods

import data.lib.rights

deny contains finding if {
	rights.would_give("starts-pods")
	finding := rights.finding("starts-pods", "start pods")
}
