# METADATA
# title: Memory limit beyond the request
# description: |
#   Memory cannot be taken back: what a container uses beyond its request is not kept for it, and when
#   the node runs out, it is killed for it. With a limit that is the request, that is found in a test
#   and not on a busy day.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Room that is kept and seldom used is paid for. Many give a container room to burst on purpose.
#   fix: manual
#   equivalents:
#     - kube-score:container-memory-requests-equal-limits
#     - kyverno:memory-requests-equal-limits
#     - gatekeeper:containerresourceratios
package policies.resources.memory_beyond_request

import data.lib.quantities
import data.lib.resources
import data.lib.workload

deny contains finding if {
	some container in resources.able
	amounts := container.spec.resources
	request := amounts.requests.memory
	limit := amounts.limits.memory
	quantities.is_more(limit, request)
	finding := {
		"path": array.concat(container.path, ["resources", "limits", "memory"]),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' asks for %v of memory and may take %v", [
			workload.name(container), request, limit,
		]),
	}
}
