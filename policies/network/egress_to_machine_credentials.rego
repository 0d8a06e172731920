# METADATA
# title: Way out that reaches the credentials of the machine
# description: |
#   On machines of a cloud, 169.254.169.254 answers whoever asks with what the machine is and, unless
#   the cloud was told otherwise, with its credentials. A rule that lets pods out to 0.0.0.0/0 lets them
#   there too; an `except` of 169.254.169.254/32 (169.254.0.0/16 keeps a local DNS cache out as well)
#   closes that way.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/security-checklist/
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
#   equivalents:
#     - trivy:KUBE-0002
package policies.network.egress_to_machine_credentials

import data.lib.netpol

address := "169.254.169.254/32"

deny contains finding if {
	some block in input.facts.policy_rules.every_address
	block.metadata
	finding := {
		"path": block.path,
		"anchor": sprintf("%s %s", [netpol.rule(block.path), block.cidr]),
		"message": sprintf("%s lets its pods out to %s, and so to 169.254.169.254, where a machine of a cloud gives away its credentials", [
			netpol.rule(block.path), block.cidr,
		]),
		"fix": {
			"title": "except the address of the credentials",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": place(block), "value": value(block)}],
		},
	}
}

# The peer as the policy has it.
written(block) := object.get(input.object, array.concat(block.block, ["ipBlock"]), {})

place(block) := array.concat(block.block, ["ipBlock", "except"]) if not has_exceptions(block)

place(block) := array.concat(block.block, ["ipBlock", "except", "-"]) if has_exceptions(block)

value(block) := [address] if not has_exceptions(block)

value(block) := address if has_exceptions(block)

has_exceptions(block) if is_array(written(block).except)
