# METADATA
# title: No CPU limit
# description: |
#   A container without a CPU limit may take what its node has to spare, and runs faster on one day than
#   on another. A limit of the pod counts, and the default of a LimitRange of the namespace.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     A limit slows a container down even while its node is idle, and requests alone share a busy CPU
#     fairly: others forbid CPU limits. They are for those who sell CPU, or want the same speed every day.
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - trivy:KSV-0011
#     - checkov:CKV_K8S_11
#     - kubescape:C-0270
#     - kube-linter:unset-cpu-requirements
#     - polaris:cpuLimitsMissing
#     - kube-score:container-resources
#     - popeye:POP-107
#     - kubeaudit:LimitsCPUNotSet
#     - kubesec:LimitsCPU
#     - kics:cpu_limits_not_set
#     - kyverno:require-cpu-limits
#     - gatekeeper:containerlimits
#     - prowler:core_cpu_limits_set
package policies.resources.no_cpu_limit

import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.able
	not resources.has_limit(container, "cpu")
	finding := {
		"path": resources.place(container, "limits", "cpu"),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' has no CPU limit", [workload.name(container)]),
	}
}
