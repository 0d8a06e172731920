# METADATA
# title: Pods may start processes without limit
# description: |
#   One pod that forks without end takes the node from all others. Read of the configuration that a
#   ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0284
package policies.kubelet.processes_unlimited

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("podPidsLimit", -1) < 1
	finding := components.told("podPidsLimit", "the kubelet lets a pod start processes without limit")
}
