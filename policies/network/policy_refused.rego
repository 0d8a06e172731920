# METADATA
# title: Network policy that no API server takes
# description: |
#   The API server checks a network policy before it stores it. One that it refuses does not exist: the
#   pods that it is meant to protect accept all traffic, and whoever reads the file believes otherwise.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy]
#   facts: [refusal]
package policies.network.policy_refused

deny contains finding if {
	refused := input.facts.refusal
	finding := {
		"path": refused.path,
		"message": sprintf("the API server refuses this policy, so that it protects nobody: %s", [refused.why]),
	}
}
