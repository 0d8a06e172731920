# METADATA
# title: Rule that admits everybody on every port
# description: |
#   A rule without peers and ports takes the isolation back that its policy gives: whatever other
#   policies say, its pods accept all traffic of that direction.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#allow-all-ingress-traffic
# custom:
#   severity: medium
#   profile: optional
#   contested: |
#     Written so, it says on purpose that nobody is kept out: an aggregated API or a webhook is called
#     from addresses that no portable rule can name, and a policy that only restricts incoming traffic
#     often admits all that goes out.
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
#   equivalents:
#     - kubeaudit:AllowAllIngressNetworkPolicyExists
#     - kubeaudit:AllowAllEgressNetworkPolicyExists
#     - popeye:POP-1203
package policies.network.admits_everybody

import data.lib.netpol

deny contains finding if {
	some open in input.facts.policy_rules.everybody
	open.whole
	not open.empty
	finding := {
		"path": open.path,
		"anchor": netpol.rule(open.path),
		"message": sprintf("%s names neither peers nor ports: %s on every port", [
			netpol.rule(open.path), netpol.pods_do(open.direction),
		]),
	}
}
