# METADATA
# title: Pods that no NetworkPolicy selects
# description: |
#   By default a pod accepts all traffic and may send everywhere. Pods that no NetworkPolicy selects are
#   reached by whatever runs in the cluster. Pods on the network of their node are not judged: policies
#   leave them alone.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   profile: strict
#   fix: generated
#   facts: [isolation]
#   equivalents:
#     - kubescape:C-0260
#     - checkov:CKV2_K8S_6
#     - kube-linter:non-isolated-pod
#     - polaris:missingNetworkPolicy
#     - kube-score:pod-networkpolicy
#     - popeye:POP-1204
#     - popeye:POP-1205
#     - kics:pod_misconfigured_network_policy
#     - kyverno:require-netpol
package policies.network.not_isolated

deny contains finding if {
	not input.facts.isolation.ingress
	not input.facts.isolation.egress
	finding := {
		"path": ["metadata", "name"],
		"message": "no NetworkPolicy selects its pods: they accept all traffic and may send everywhere",
		"fix": {
			"title": "admit who is known to ask it, and nobody else",
			"safety": "unsafe",
			"synthesize": "admit_callers",
		},
	}
}
