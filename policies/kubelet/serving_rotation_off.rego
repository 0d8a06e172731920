# METADATA
# title: Serving certificate of kubelets is not renewed
# description: |
#   With the feature gate off none is asked for again: the one that is there runs out, and then
#   nobody verifies it any more. Read of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0183
#     - trivy:KCV-0091
package policies.kubelet.serving_rotation_off

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("featureGates.RotateKubeletServerCertificate", true) == false
	finding := components.told("featureGates.RotateKubeletServerCertificate", "the kubelet does not renew its serving certificate")
}
