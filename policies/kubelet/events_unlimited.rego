# METADATA
# title: Kubelet sends events without limit
# description: |
#   One pod that fails again and again can fill the store of the cluster with events. Read of the
#   configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0180
#     - trivy:KCV-0087
#     - checkov:CKV_K8S_147
#     - kics:kubelet_event_qps_not_properly_set
#     - prowler:kubelet_event_record_qps
package policies.kubelet.events_unlimited

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("eventRecordQPS", 50) == 0
	finding := components.told("eventRecordQPS", "the kubelet sends events without limit")
}
