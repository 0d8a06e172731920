# METADATA
# title: Kubelet leaves iptables alone
# description: |
#   Rules of the node may then block or open what the cluster needs or forbids. Read of the
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
#     - kubescape:C-0178
#     - trivy:KCV-0084
#     - checkov:CKV_K8S_145
#     - kics:kubelet_not_managing_ip_tables
#     - prowler:kubelet_manage_iptables
package policies.kubelet.iptables_unmanaged

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("makeIPTablesUtilChains", true) == false
	finding := components.told("makeIPTablesUtilChains", "the kubelet leaves the rules of iptables to somebody else")
}
