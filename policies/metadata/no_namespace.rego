# METADATA
# title: Object without a namespace
# description: |
#   Where it lands is said by whoever applies it: without a word of theirs, in `default`.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     charts and bases are meant to be put wherever the command or an overlay says, and a namespace that
#     is written keeps them from that
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
#   equivalents:
#     - kubescape:C-0061
#     - kubescape:C-0212
#     - trivy:KSV-0110
#     - checkov:CKV_K8S_21
#     - kube-linter:use-namespace
#     - kics:using_unrecommended_namespace
#     - kyverno:disallow-default-namespace
package policies.metadata.no_namespace

deny contains finding if {
	object.get(input.object.metadata, "namespace", "") == ""
	finding := {"path": ["metadata", "name"], "message": "says no namespace, and may land in default"}
}
