# METADATA
# title: No memory request
# description: |
#   A container that asks for no memory is placed as if it needed none, on a node that may have none,
#   and is among the first to be killed when memory runs out. A limit counts as the request where none
#   is written; so do resources of the pod, and the defaults of a LimitRange of the namespace. Init
#   containers start in the room that the others ask for.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   facts: [resource_defaults]
#   equivalents:
#     - trivy:KSV-0016
#     - checkov:CKV_K8S_12
#     - kubescape:C-0269
#     - kube-linter:unset-memory-requirements
#     - polaris:memoryRequestsMissing
#     - popeye:POP-106
#     - kubesec:RequestsMemory
#     - kics:memory_requests_not_defined
#     - kyverno:require-pod-requests-limits
#     - kyverno:add-default-resources
#     - gatekeeper:containerrequests
#     - gatekeeper:containerresources
#     - prowler:core_memory_requests_set
#   near: [kube-score:container-resources]
package policies.resources.no_memory_request

import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.lasting
	not resources.has_request(container, "memory")
	finding := {
		"path": resources.place(container, "requests", "memory"),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' asks for no memory", [workload.name(container)]),
	}
}
