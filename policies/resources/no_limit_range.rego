# METADATA
# title: Namespace without a LimitRange
# description: |
#   A LimitRange gives containers of a namespace what their authors forgot: requests, limits, and a
#   most and a least of each. Without one, every pod without resources is placed as if it needed none.
#   Namespaces of Kubernetes itself are not judged.
# related_resources:
#   - https://kubernetes.io/docs/concepts/policy/limit-range/
# custom:
#   severity: low
#   profile: strict
#   fix: generated
#   kinds: [Namespace]
#   facts: [limit_ranges]
#   admission: grace
#   equivalents:
#     - trivy:KSV-0039
#     - kics:pod_or_container_without_limit_range
#     - kyverno:add-ns-quota
package policies.resources.no_limit_range

import data.lib.namespaces

deny contains finding if {
	not namespaces.is_system
	input.facts.limit_ranges.count == 0
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("namespace '%s' has no LimitRange for its pods", [input.object.metadata.name]),
		"fix": {
			"title": "give containers without requests the median of what the others ask for",
			"safety": "unsafe",
			"synthesize": "give_requests",
		},
	}
}
