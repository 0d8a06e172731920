# METADATA
# title: Pods that are isolated in one direction alone
# description: |
#   NetworkPolicies isolate incoming and outgoing traffic apart. Pods that are isolated on their way in
#   alone may still send to whatever they reach, which is how data leaves after a break-in; those that
#   are isolated on their way out alone are reached by everybody.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
# custom:
#   severity: medium
#   profile: optional
#   contested: |
#     Whoever may reach a pod and whom it may reach are two questions: rules for outgoing traffic have to
#     name DNS, the API server and everything outside of the cluster, by address, and many leave that to
#     a gateway or a firewall. Where personal data is at stake, data/personal_data_may_leave asks.
#   fix: generated
#   facts: [isolation]
#   admission: grace
#   equivalents:
#     - kubescape:C-0030
#     - polaris:missingNetworkPolicy
#     - kube-score:pod-networkpolicy
#     - kubeaudit:MissingDefaultDenyIngressNetworkPolicy
#     - kubeaudit:MissingDefaultDenyEgressNetworkPolicy
package policies.network.isolated_one_way

# Of pods that are isolated both ways there is no such fact; those that are not at all are another's.
deny contains finding if {
	input.facts.isolation.ingress != input.facts.isolation.egress
	finding := {
		"path": ["metadata", "name"],
		"message": said,
		"fix": {
			"title": title,
			"safety": "unsafe",
			"synthesize": "isolate_both_ways",
		},
	}
}

said := "NetworkPolicies isolate its pods on their way in alone: they may send everywhere" if input.facts.isolation.ingress

said := "NetworkPolicies isolate its pods on their way out alone: they accept all traffic" if input.facts.isolation.egress

title := "let it out to whom it is known to ask" if input.facts.isolation.ingress

title := "admit who is known to ask it, and nobody else" if input.facts.isolation.egress
