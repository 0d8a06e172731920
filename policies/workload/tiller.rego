# METADATA
# title: Tiller, the server of Helm 2
# description: |
#   Tiller does what anybody who reaches its port tells it, with its own rights, which are those of a
#   cluster administrator in most installations. Helm 3 has none; Helm 2 gets no fixes since 2020.
# related_resources:
#   - https://helm.sh/docs/topics/v2_v3_migration/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   equivalents:
#     - trivy:KSV-0102
#     - checkov:CKV_K8S_34
#     - checkov:CKV_K8S_44
#     - checkov:CKV_K8S_45
#     - kics:tiller_is_deployed
#     - kics:tiller_deployment_is_accessible_from_within_the_cluster
#     - kics:tiller_service_is_not_deleted
#     - kyverno:disallow-helm-tiller
package policies.workload.tiller

import data.lib.images
import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_string(container.spec.image)
	regex.match(`(^|/)tiller$`, images.repository(container.spec.image))
	finding := {
		"path": array.concat(container.path, ["image"]),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' is Tiller, which obeys whoever reaches it", [workload.name(container)]),
	}
}
