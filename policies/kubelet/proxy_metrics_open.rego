# METADATA
# title: Metrics of kube-proxy on every address
# description: |
#   They tell whoever reaches the node which Services there are and where they lead. Read of the
#   configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0291
package policies.kubelet.proxy_metrics_open

import data.lib.components

deny contains finding if {
	components.proxy
	components.value("metricsBindAddress", "") != ""
	not regex.match(`^(127[.]|localhost|\[::1\])`, components.value("metricsBindAddress", ""))
	finding := components.told("metricsBindAddress", "kube-proxy serves its metrics beyond the node")
}
