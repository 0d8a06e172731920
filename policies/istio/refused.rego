# METADATA
# title: Policy of the mesh that is refused
# description: |
#   What the schema of the API server or Istio's webhook would refuse protects nothing: it is not
#   stored. Where it was stored all the same, since the webhook was off or did not answer, the wrong
#   part does what nobody meant. Recorded from Istio's own code and a real Envoy: an ALLOW rule with
#   an invalid value was dropped, and from a DENY rule only the value, so that `ports: ["abc"]` or
#   `notIpBlocks: ["nonsense"]` denied everybody.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/
#   - https://istio.io/latest/docs/reference/config/security/peer_authentication/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
#   facts: [mesh]
#   equivalents:
#     - istioctl:IST0106
package policies.istio.refused

deny contains finding if {
	some refusal in input.facts.mesh.refused
	not is_told_elsewhere(refusal)
	finding := {
		"path": refusal.path,
		"message": sprintf("%s this policy: %s", [refuser[refusal.by], refusal.why]),
	}
}

refuser := {
	"crd": "the API server refuses",
	"envoy": "no proxy can load",
	"webhook": "Istio's webhook refuses",
}

# By a policy that knows what becomes of it.
is_told_elsewhere(refusal) if {
	refusal.by == "envoy"
	contains(refusal.why, "slash")
}

is_told_elsewhere(refusal) if "istio.io/dry-run" in refusal.path

# spec.rules.0.when.0.key
is_told_elsewhere(refusal) if refusal.path[5] == "key"

is_told_elsewhere(refusal) if {
	refusal.path == ["spec", "portLevelMtls"]
	contains(refusal.why, "selector")
}
