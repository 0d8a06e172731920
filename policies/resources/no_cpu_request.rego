# METADATA
# title: No CPU request
# description: |
#   A container that asks for no CPU is placed as if it needed none, and gets next to none when its
#   node is busy; autoscalers that go by utilisation cannot work. A limit counts as the request where
#   none is written; so do resources of the pod, and the defaults of a LimitRange of the namespace.
#   Init containers start in the room that the others ask for. Strict alone asks: what it costs is
#   speed, on a busy node, and how much a program needs differs from one cluster to the next.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - trivy:KSV-0015
#     - checkov:CKV_K8S_10
#     - kubescape:C-0268
#     - kube-linter:unset-cpu-requirements
#     - polaris:cpuRequestsMissing
#     - popeye:POP-106
#     - kubesec:RequestsCPU
#     - kics:cpu_requests_not_set
#     - kyverno:require-pod-requests-limits
#     - kyverno:add-default-resources
#     - gatekeeper:containerrequests
#     - gatekeeper:containerresources
#     - prowler:core_cpu_requests_set
#   near: [kube-score:container-resources]
package policies.resources.no_cpu_request

import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.lasting
	not resources.has_request(container, "cpu")
	finding := {
		"path": resources.place(container, "requests", "cpu"),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' asks for no CPU", [workload.name(container)]),
	}
}
