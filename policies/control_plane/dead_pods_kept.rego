# METADATA
# title: Controller manager with no threshold for dead pods
# description: |
#   Pods that have ended are kept until there are as many as the threshold says, 12500 without one:
#   they fill the store and slow down who lists pods.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     the right number is a matter of the size of a cluster, and the default harms few
#   fix: manual
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0144
#     - trivy:KCV-0033
#     - checkov:CKV_K8S_106
#     - kics:terminated_pod_garbage_collector_threshold_not_properly_set
#     - prowler:controllermanager_garbage_collection
package policies.control_plane.dead_pods_kept

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.is_set(manager, "terminated-pod-gc-threshold")
	finding := flags.told(manager, "terminated-pod-gc-threshold", "keeps 12500 pods that have ended")
}
