# METADATA
# title: NetworkPolicy that no API server takes
# description: |
#   The API server checks a NetworkPolicy before it stores it. One that it refuses does not exist: the
#   pods that it is meant to protect accept all traffic, and whoever reads the file believes otherwise.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
package policies.network.policy_refused

deny contains finding if {
	refused := input.facts.policy_rules.refused
	finding := {
		"path": refused.path,
		"message": sprintf("the API server refuses this policy, so that it protects nobody: %s", [refused.why]),
	}
}
