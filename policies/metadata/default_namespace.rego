# METADATA
# title: Object in the namespace default
# description: |
#   Whatever names no namespace lands in `default`: what stands there shares quotas, policies and rights
#   with everything that somebody forgot to place.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds:
#     - Deployment
#     - StatefulSet
#     - DaemonSet
#     - Job
#     - CronJob
#     - ReplicaSet
#     - ReplicationController
#     - Pod
#     - PodTemplate
#     - Service
#     - Ingress
#     - ConfigMap
#     - PersistentVolumeClaim
#     - ServiceAccount
#     - Role
#     - RoleBinding
#     - NetworkPolicy
#     - CSIStorageCapacity
#     - HorizontalPodAutoscaler
#     - PodDisruptionBudget
#     - LimitRange
#     - ResourceQuota
#     - Endpoints
#   equivalents:
#     - kubescape:C-0061
#     - kubescape:C-0212
#     - trivy:KSV-0110
#     - checkov:CKV_K8S_21
#     - kube-linter:use-namespace
#     - kics:using_unrecommended_namespace
#     - kyverno:disallow-default-namespace
package policies.metadata.default_namespace

deny contains finding if {
	input.object.metadata.namespace == "default"
	not of_the_server
	finding := {"path": ["metadata", "namespace"], "message": "stands in the namespace default"}
}

# What every cluster has there.
of_the_server if {
	input.object.kind in ["Service", "Endpoints"]
	input.object.metadata.name == "kubernetes"
}

of_the_server if {
	input.object.kind == "ServiceAccount"
	input.object.metadata.name == "default"
}

of_the_server if {
	input.object.kind == "ConfigMap"
	input.object.metadata.name == "kube-root-ca.crt"
}
