# METADATA
# title: Limit beyond the declared maximum
# description: |
#   The configuration says what a container may take at most; a limit beyond it is a finding. Without
#   a declared maximum nothing is said.
# related_resources:
#   - https://kubernetes.io/docs/concepts/policy/limit-range/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   parameters:
#     cpu:
#       description: The most CPU that a container may take, as Kubernetes writes it, 4 or 1500m.
#       default: ""
#     memory:
#       description: The most memory that a container may take, as Kubernetes writes it, 8Gi.
#       default: ""
#   equivalents:
#     - kubescape:C-0004
#     - kubescape:C-0050
#     - kubeaudit:LimitsCPUExceeded
#     - kubeaudit:LimitsMemoryExceeded
#     - gatekeeper:containerlimits
package policies.resources.limit_beyond_maximum

import data.lib.quantities
import data.lib.resources
import data.lib.workload

names := {"cpu": "CPU", "memory": "memory"}

deny contains finding if {
	some resource, said in names
	maximum := input.parameters[resource]
	some container in resources.able
	limit := container.spec.resources.limits[resource]
	quantities.is_more(limit, maximum)
	finding := {
		"path": array.concat(container.path, ["resources", "limits", resource]),
		"anchor": sprintf("%s/%s", [workload.name(container), resource]),
		"message": sprintf("container '%s' may take %v of %s, and %s is the declared maximum", [
			workload.name(container), limit, said, maximum,
		]),
	}
}
