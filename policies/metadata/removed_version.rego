# METADATA
# title: Version of an API that is no more
# description: |
#   The API server does not know it any more, so that nothing of this kind is made or changed: an
#   update of the cluster stops the deployment. Judged for the version of Kubernetes that is audited
#   for. Where the successor has the same fields, the fix names it.
# related_resources:
#   - https://kubernetes.io/docs/reference/using-api/deprecation-guide/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   kinds:
#     - Deployment
#     - DaemonSet
#     - ReplicaSet
#     - StatefulSet
#     - ControllerRevision
#     - NetworkPolicy
#     - PodSecurityPolicy
#     - Ingress
#     - IngressClass
#     - PodDisruptionBudget
#     - CronJob
#     - HorizontalPodAutoscaler
#     - EndpointSlice
#     - Event
#     - RuntimeClass
#     - Lease
#     - PriorityClass
#     - CSIDriver
#     - CSINode
#     - StorageClass
#     - VolumeAttachment
#     - CSIStorageCapacity
#     - Role
#     - ClusterRole
#     - RoleBinding
#     - ClusterRoleBinding
#     - ValidatingWebhookConfiguration
#     - MutatingWebhookConfiguration
#     - CustomResourceDefinition
#     - APIService
#     - CertificateSigningRequest
#     - FlowSchema
#     - PriorityLevelConfiguration
#   equivalents:
#     - trivy:KSV-0107
#     - kube-linter:no-extensions-v1beta
#     - kube-score:stable-version
#     - popeye:POP-403
#     - kubeaudit:DeprecatedAPIUsed
#     - kics:object_is_using_a_deprecated_api_version
#     - kyverno:check-deprecated-apis
#     - gatekeeper:verifydeprecatedapi
package policies.metadata.removed_version

deny contains finding if {
	gone := removed[input.object.apiVersion]
	input.kubernetes >= of_kind(gone, "since")
	finding := object.union(
		{
			"path": ["apiVersion"],
			"message": sprintf("%s of %s is gone since Kubernetes 1.%d", [
				input.object.apiVersion, input.object.kind, of_kind(gone, "since") - 100,
			]),
		},
		remedy(of_kind(gone, "now")),
	)
}

# What is said of one kind, or of all others of its group.
of_kind(gone, field) := gone.kinds[input.object.kind][field]

of_kind(gone, field) := gone[field] if not input.object.kind in object.keys(gone.kinds)

remedy(now) := {"fix": {
	"title": "name the version that followed",
	"safety": "safe",
	"patch": [{"op": "replace", "path": ["apiVersion"], "value": now}],
}} if now != ""

remedy("") := {}

# Version → since which version of Kubernetes (as 100 and its minor) it is gone, and the one after it
# that has the same fields; where it has others, none.
removed := {
	"extensions/v1beta1": {"since": 116, "now": "", "kinds": {
		"Ingress": {"since": 122, "now": ""},
		"NetworkPolicy": {"since": 116, "now": "networking.k8s.io/v1"},
	}},
	"apps/v1beta1": {"since": 116, "now": "", "kinds": {}},
	"apps/v1beta2": {"since": 116, "now": "apps/v1", "kinds": {}},
	"networking.k8s.io/v1beta1": {"since": 122, "now": "", "kinds": {"IngressClass": {
		"since": 122,
		"now": "networking.k8s.io/v1",
	}}},
	"admissionregistration.k8s.io/v1beta1": {"since": 122, "now": "", "kinds": {}},
	"apiextensions.k8s.io/v1beta1": {"since": 122, "now": "", "kinds": {}},
	"apiregistration.k8s.io/v1beta1": {"since": 122, "now": "apiregistration.k8s.io/v1", "kinds": {}},
	"certificates.k8s.io/v1beta1": {"since": 122, "now": "", "kinds": {}},
	"coordination.k8s.io/v1beta1": {"since": 122, "now": "coordination.k8s.io/v1", "kinds": {}},
	"rbac.authorization.k8s.io/v1beta1": {"since": 122, "now": "rbac.authorization.k8s.io/v1", "kinds": {}},
	"rbac.authorization.k8s.io/v1alpha1": {"since": 122, "now": "rbac.authorization.k8s.io/v1", "kinds": {}},
	"scheduling.k8s.io/v1beta1": {"since": 122, "now": "scheduling.k8s.io/v1", "kinds": {}},
	"storage.k8s.io/v1beta1": {"since": 122, "now": "storage.k8s.io/v1", "kinds": {"CSIStorageCapacity": {
		"since": 127,
		"now": "storage.k8s.io/v1",
	}}},
	"batch/v1beta1": {"since": 125, "now": "batch/v1", "kinds": {}},
	"discovery.k8s.io/v1beta1": {"since": 125, "now": "", "kinds": {}},
	"events.k8s.io/v1beta1": {"since": 125, "now": "", "kinds": {}},
	"autoscaling/v2beta1": {"since": 125, "now": "", "kinds": {}},
	"autoscaling/v2beta2": {"since": 126, "now": "autoscaling/v2", "kinds": {}},
	"policy/v1beta1": {"since": 125, "now": "", "kinds": {}},
	"node.k8s.io/v1beta1": {"since": 125, "now": "node.k8s.io/v1", "kinds": {}},
	"flowcontrol.apiserver.k8s.io/v1beta1": {"since": 126, "now": "", "kinds": {}},
	"flowcontrol.apiserver.k8s.io/v1beta2": {"since": 129, "now": "", "kinds": {"FlowSchema": {
		"since": 129,
		"now": "flowcontrol.apiserver.k8s.io/v1",
	}}},
	"flowcontrol.apiserver.k8s.io/v1beta3": {"since": 132, "now": "flowcontrol.apiserver.k8s.io/v1", "kinds": {}},
}
