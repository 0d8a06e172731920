# METADATA
# title: ALLOW without rules
# description: |
#   An ALLOW policy without rules admits nobody, and whoever wrote `rules: []`, or nothing, to admit
#   everybody has closed every port, TCP too; `rules: [{}]` is what admits everybody. Recorded from a
#   real Envoy: with `spec: {}`, no `rules` and `rules: []` alike every request was refused. As a
#   policy that denies by default that is good practice: one whose name says so, or that is just
#   `spec: {}` under a name that does not speak of allowing, is no finding.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#allow-nothing-deny-all-and-allow-all-policy
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.empty_allow

import data.lib.istio

deny contains finding if {
	istio.action == "ALLOW"
	is_empty
	not is_targeted
	means_to_admit
	not means_to_deny
	finding := {
		"path": place,
		"message": "an ALLOW policy without rules admits nobody; 'rules: [{}]' admits everybody",
	}
}

is_empty if not "rules" in object.keys(istio.spec)

is_empty if istio.spec.rules == []

# It is told of elsewhere that sidecars do not read it.
is_targeted if "targetRefs" in object.keys(istio.spec)

place := ["spec", "rules"] if "rules" in object.keys(istio.spec)

place := ["metadata", "name"] if not "rules" in object.keys(istio.spec)

name := lower(input.object.metadata.name) if is_string(input.object.metadata.name)

means_to_admit if istio.spec.action == "ALLOW"

means_to_admit if {
	some word in {"admit", "allow", "open", "permit"}
	contains(name, word)
}

means_to_deny if {
	some word in {"close", "default", "deny", "isolat", "lock", "no-", "none", "nothing", "reject", "zero"}
	contains(name, word)
}
