# METADATA
# title: Pods that may not ask DNS
# description: |
#   Whoever isolates pods on their way out has to let them ask DNS, or they find nobody by name. Name
#   servers are asked on port 53 of their pods (5353 on OpenShift), over UDP and TCP.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
# custom:
#   severity: high
#   fix: manual
#   facts: [cut_off]
#   admission: grace
package policies.network.dns_cut_off

deny contains finding if {
	dns := input.facts.cut_off.dns
	dns != null
	not dns.over_udp
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("names %s, and may ask no name server: no rule of the NetworkPolicies that isolate it on its way out admits UDP and TCP port 53 of the DNS pods", [dns.host]),
		"evidence": array.concat(
			[{
				"message": sprintf("here it names %s", [dns.host]),
				"object": dns.place.object,
				"path": dns.place.path,
			}],
			isolating(dns),
		),
	}
}

isolating(dns) := [place |
	some policy in dns.policies
	place := {
		"message": sprintf("NetworkPolicy %s isolates it on its way out", [policy.name]),
		"object": policy.object,
		"path": ["spec", "podSelector"],
	}
]
