# METADATA
# title: Figures about personal data that nobody approved
# description: |
#   A ServiceMonitor, a PodMonitor or an annotation asks monitors to fetch figures from a workload
#   that holds personal data. Whoever wants to watch writes such an object; it gives no right.
#   Figures may hold names, addresses or numbers of few people. Who owns the data approves the port
#   and the path (auditor/telemetry, or auditor/health where they are no more than health).
# related_resources:
#   - https://prometheus.io/docs/practices/naming/#labels
# custom:
#   severity: medium
#   profile: recommended
#   waivable: central
#   fix: manual
#   facts: [telemetry]
package policies.network.unapproved_telemetry

import data.lib.text

telemetry := input.facts.telemetry

deny contains finding if {
	some one in telemetry.unapproved
	finding := {
		"path": place(one),
		"anchor": sprintf("%d%s", [one.port, one.path]),
		"message": sprintf("holds %s, and %s lets monitors fetch %s on port %d, which nobody approved", [
			text.joined(" and ", telemetry.data), one.by, one.path, one.port,
		]),
		"evidence": [{"message": sprintf("asks for %s", [one.path]), "object": one.object, "path": one.place}],
		"fix": {
			"title": sprintf("say that monitors may: auditor/telemetry: %d%s; or ask for it no more", [one.port, one.path]),
			"safety": "manual",
		},
	}
}

place(one) := one.place if one.own

place(one) := ["metadata", "name"] if not one.own
