# METADATA
# title: Kubelet answers requests without credentials
# description: |
#   Whoever reaches port 10250 of a node reads logs, and where authorization is off, runs commands
#   in every container of it. Read of the configuration that a ConfigMap of kube-system holds.
# related_resources:
#   - https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [ConfigMap]
#   facts: [component_config]
#   equivalents:
#     - kubescape:C-0172
#     - kubescape:C-0069
#     - trivy:KCV-0079
#     - checkov:CKV_K8S_138
#     - kics:kubelet_anonymous_auth_is_not_set_to_false
#     - prowler:kubelet_disable_anonymous_auth
package policies.kubelet.anonymous

import data.lib.components

deny contains finding if {
	components.kubelet
	components.value("authentication.anonymous.enabled", false) == true
	finding := components.told("authentication.anonymous.enabled", "the kubelet answers requests without credentials")
}
