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
		"message": sprintf("reaches more of %s%s than its health API %s: %s", [
			beyond.target, holding(beyond), beyond.health, reached(beyond),
		]),
		"evidence": beyond.rules,
		"fix": {"title": title(beyond), "safety": safety(beyond), "synthesize": builder(beyond)},
	}
}

holding(beyond) := sprintf(" (%s)", [text.joined(", ", beyond.data)]) if count(beyond.data) > 0

holding(beyond) := "" if count(beyond.data) == 0

reached(beyond) := text.joined("; ", array.concat(ports(beyond), requests(beyond)))

ports(beyond) := [] if beyond.ports == ""

ports(beyond) := [beyond.ports] if {
	beyond.ports != ""
	count(beyond.apis) == 0
}

ports(beyond) := [sprintf("%s, with %s among them", [beyond.ports, text.joined(", ", beyond.apis)])] if {
	count(beyond.apis) > 0
}

# One request that anybody can repeat says more than a list of classes.
requests(beyond) := [] if count(beyond.requests) == 0

requests(beyond) := [sprintf("%s gets through", [beyond.requests[0]])] if count(beyond.requests) == 1

requests(beyond) := [sprintf("%s gets through, and %d more kinds of requests", [
	beyond.requests[0], count(beyond.requests) - 1,
])] if {
	count(beyond.requests) > 1
}

# A port is closed by a NetworkPolicy; which requests pass on an open one, only a sidecar decides.
builder(beyond) := "narrow" if count(beyond.requests) == 0

builder(beyond) := "restrict" if count(beyond.requests) > 0

title(beyond) := "give the health API a port of its own: nothing here judges requests" if {
	count(beyond.requests) > 0
	not beyond.judged
}

else := "admit it to the health API alone"

safety(beyond) := "manual" if {
	count(beyond.requests) > 0
	not beyond.judged
}

else := "manual" if not beyond.narrow

else := "safe"
