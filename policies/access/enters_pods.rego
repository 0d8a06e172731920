# METADATA
# title: Rights to enter pods
# description: |
#   To run commands in a pod, to attach to it, or to put a debug container into it is to hold what it
#   holds: its data and the token of its account. Medium where it holds in every namespace.
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
#     - kubescape:C-0002
#     - trivy:KSV-0053
#     - trivy:KSV-0054
#     - checkov:CKV2_K8S_2
#     - polaris:clusterrolePodExecAttach
#     - polaris:rolePodExecAttach
#     - polaris:clusterrolebindingPodExecAttach
#     - polaris:rolebindingClusterRolePodExecAttach
#     - polaris:rolebindingRolePodExecAttach
#     - kics:rbac_roles_with_exec_permission
#     - kics:rbac_roles_with_attach_permission
package policies.access.enters_pods

import data.lib.rights

deny contains finding if {
	rights.would_give("enters-pods")
	finding := rights.finding("enters-pods", "run commands in pods")
}

# Where the server is not known to be of 1.35 or later.
deny contains finding if {
	rights.would_give("enters-pods-by-get")
	not rights.told.powers["enters-pods"]
	finding := rights.finding("enters-pods-by-get", "run commands in pods, before Kubernetes 1.35")
}
