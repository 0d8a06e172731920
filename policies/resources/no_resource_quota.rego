# METADATA
# title: Namespace without a ResourceQuota
# description: |
#   Without a quota one namespace may take the whole cluster: by mistake, by a loop that creates
#   objects, or by intent. Namespaces of Kubernetes itself are not judged: there a quota would keep
#   the cluster from mending itself.
# related_resources:
#   - https://kubernetes.io/docs/concepts/policy/resource-quotas/
# custom:
#   severity: low
#   profile: strict
#   fix: generated
#   kinds: [Namespace]
#   facts: [resource_quotas]
#   admission: grace
#   equivalents:
#     - trivy:KSV-0040
#     - kics:pod_or_container_without_resource_quota
#     - kyverno:add-ns-quota
package policies.resources.no_resource_quota

import data.lib.namespaces

deny contains finding if {
	not namespaces.is_system
	input.facts.resource_quotas.count == 0
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("namespace '%s' has no ResourceQuota", [input.object.metadata.name]),
		"fix": {
			"title": "bound it by twice what its workloads take at their largest, while all are rolled out",
			"safety": "unsafe",
			"synthesize": "bound",
		},
	}
}
