# METADATA
# title: Webhook that the API server may not call
# description: |
#   The API server calls webhooks and the APIs behind it from the address of a node, or from a machine
#   outside: no selector of pods means it. A pod that is isolated without a rule for an address, for
#   everybody or for the API server's proxy is not reached, and whatever it decides on fails. Where both
#   run on one node, the call passes, so that it may work today and fail tomorrow.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
# custom:
#   severity: high
#   fix: manual
#   facts: [cut_off]
#   admission: grace
package policies.network.webhook_cut_off

deny contains finding if {
	some call in input.facts.cut_off.called
	finding := {
		"path": ["metadata", "name"],
		"anchor": sprintf("%s %s", [call.object.kind, call.name]),
		"message": sprintf("the API server calls it as %s on port %d, and no rule of the NetworkPolicies that isolate it can mean the API server", [
			call.what, call.port,
		]),
		"evidence": array.concat(
			[{
				"message": sprintf("%s %s has it called through Service %s", [call.object.kind, call.name, call.service]),
				"object": call.object,
				"path": call.path,
			}],
			isolating(call),
		),
	}
}

isolating(call) := [place |
	some policy in call.policies
	place := {
		"message": sprintf("NetworkPolicy %s isolates it", [policy.name]),
		"object": policy.object,
		"path": ["spec", "podSelector"],
	}
]
