# METADATA
# title: No memory limit
# description: |
#   A container without a memory limit may take all of its node: when it leaks, others are killed
#   beside it. Strict alone asks for it: the request is what is placed and evicted by, and whoever has
#   no limit and no request is told of the request already. A limit of the pod counts, and the default
#   of a LimitRange of the namespace.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - trivy:KSV-0018
#     - checkov:CKV_K8S_13
#     - kubescape:C-0271
#     - kube-linter:unset-memory-requirements
#     - polaris:memoryLimitsMissing
#     - kube-score:container-resources
#     - popeye:POP-107
#     - kubeaudit:LimitsMemoryNotSet
#     - kubesec:LimitsMemory
#     - kics:memory_limits_not_defined
#     - kyverno:require-pod-requests-limits
#     - gatekeeper:containerlimits
#     - gatekeeper:containerresources
#     - prowler:core_memory_limits_set
package policies.resources.no_memory_limit

import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.able
	not resources.has_limit(container, "memory")
	finding := {
		"path": resources.place(container, "limits", "memory"),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' may take all memory of its node", [workload.name(container)]),
	}
}
