# METADATA
# title: Rule that admits every address
# description: |
#   An ipBlock of 0.0.0.0/0 or ::/0 in an ingress rule means the whole internet, and with most network
#   plugins every pod of the cluster as well. What is to be public is better reached through a gateway
#   or an ingress controller, whose pods alone are admitted.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
#   equivalents:
#     - trivy:KUBE-0001
package policies.network.admits_every_address

import data.lib.netpol

deny contains finding if {
	some block in input.facts.policy_rules.every_address
	block.direction == "Ingress"
	finding := {
		"path": block.path,
		"anchor": sprintf("%s %s", [netpol.rule(block.path), block.cidr]),
		"message": sprintf("%s admits %s to %s", [netpol.rule(block.path), whom(block), block.ports]),
	}
}

whom(block) := sprintf("every address of %s", [block.cidr]) if block.every

whom(block) := sprintf("nearly every address (%s less some)", [block.cidr]) if not block.every
