# METADATA
# title: Load balancer open to the whole internet
# description: |
#   A Service of type LoadBalancer gets an address of its own, and whoever finds it is let in, unless
#   loadBalancerSourceRanges say from where, or an annotation of the cloud asks for a private address.
#   What is meant for everybody is better put behind one Ingress or Gateway that many services share.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [Service]
#   facts: [service]
#   equivalents:
#     - kube-linter:exposed-services
#     - kics:service_with_external_load_balancer
#     - kyverno:restrict-loadbalancer
#     - gatekeeper:block-loadbalancer-services
#     - popeye:POP-1103
package policies.network.load_balancer_open_to_the_world

deny contains finding if {
	input.facts.service.public
	count(input.facts.service.sources) == 0
	finding := {
		"path": ["spec", "type"],
		"message": "lets in the whole internet: no loadBalancerSourceRanges say from where",
	}
}
