# METADATA
# title: Rule on HTTP where there is no proxy for HTTP
# description: |
#   In an ambient namespace, ztunnel enforces policies that select workloads, and it knows no HTTP. An
#   ALLOW rule with a field of HTTP is dropped, and the workload refuses what no other admits. From a
#   DENY rule the field is left out, and an operation or source that is then empty never matches.
#   Recorded with the rules of ztunnel: DENY of a path denied nothing, and DENY of methods on port
#   8080 denied all of that port. A waypoint enforces policies with `targetRefs`.
# related_resources:
#   - https://istio.io/latest/docs/ambient/usage/l4-policy/
#   - https://istio.io/latest/docs/ambient/usage/l7-features/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.http_at_ztunnel

import data.lib.istio

ambient := input.facts.mesh.ambient if input.facts.mesh.ambient.count > 0

deny contains finding if {
	ambient.count > 0
	istio.action in {"ALLOW", "DENY"}
	some use in istio.http_uses
	means := meaning(use)
	finding := {
		"path": use.path,
		"message": sprintf("ztunnel, in front of %s, knows no '%s': %s", [istio.who(ambient), use.field, means]),
	}
}

deny contains finding if {
	ambient.count > 0
	istio.action in {"AUDIT", "CUSTOM"}
	finding := {
		"path": ["spec", "action"],
		"message": sprintf("ztunnel, in front of %s, gets no policy with the action %s", [istio.who(ambient), istio.action]),
	}
}

meaning(_) := "this rule is dropped" if istio.action == "ALLOW"

meaning(use) := "it denies nothing here" if {
	istio.action == "DENY"
	count(others(use)) == 0
}

meaning(use) := "it denies all of what is left" if {
	istio.action == "DENY"
	count(others(use)) > 0
}

# What of the same source, operation or condition does not need HTTP.
others(use) := [field |
	some part in (istio.sources | istio.operations)
	part.path == use.within
	some field in object.keys(part.spec)
	not field in istio.http_fields
]
