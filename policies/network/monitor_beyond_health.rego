# METADATA
# title: Monitor reaches more than the health API
# description: |
#   A monitor needs the health API of what it watches and nothing else. One that also reaches the
#   API beside it turns a break-in at the monitor, which talks to everything, into one at the data.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: high
#   profile: recommended
#   waivable: central
#   fix: generated
#   facts: [oversight]
package policies.network.monitor_beyond_health

import data.lib.text

oversight := input.facts.oversight

deny contains finding if {
	some beyond in oversight.beyond
	finding := {
		"path": oversight.path,
		"anchor": beyond.target,
		"message": sprintf("reaches more of %s%s than its health API on port %s: %s", [
			beyond.target, holding(beyond), text.joined(", ", beyond.health), reached(beyond),
		]),
		"evidence": beyond.rules,
		"fix": {"title": "admit it to the health API alone", "safety": safety(beyond), "synthesize": "narrow"},
	}
}

holding(beyond) := sprintf(" (%s)", [text.joined(", ", beyond.data)]) if count(beyond.data) > 0

holding(beyond) := "" if count(beyond.data) == 0

reached(beyond) := sprintf("%s, with %s among them", [beyond.ports, text.joined(", ", beyond.apis)]) if count(beyond.apis) > 0

reached(beyond) := beyond.ports if count(beyond.apis) == 0

safety(beyond) := "safe" if count(beyond.rules) > 0

safety(beyond) := "manual" if count(beyond.rules) == 0
