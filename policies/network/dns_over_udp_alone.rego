# METADATA
# title: Pods that may ask DNS over UDP alone
# description: |
#   An answer that is too long for UDP is asked for again over TCP. Where the policies admit UDP alone,
#   names with many addresses stop to resolve on the day they grow.
# related_resources:
#   - https://www.rfc-editor.org/rfc/rfc7766
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   facts: [cut_off]
#   admission: grace
package policies.network.dns_over_udp_alone

deny contains finding if {
	dns := input.facts.cut_off.dns
	dns.over_udp
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("names %s, and may ask DNS over UDP alone: no rule of the NetworkPolicies that isolate it on its way out admits TCP port 53 of the DNS pods", [dns.host]),
		"evidence": [{
			"message": sprintf("NetworkPolicy %s isolates it on its way out", [policy.name]),
			"object": policy.object,
			"path": ["spec", "podSelector"],
		} |
			some policy in dns.policies
		],
	}
}
