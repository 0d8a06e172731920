# METADATA
# title: Monitor that cannot reach what it is told to fetch
# description: |
#   A ServiceMonitor or PodMonitor asks for figures of this workload, and no monitor that is told to
#   fetch them gets through: the network policies do not admit it. Nobody sees then that the workload
#   is in trouble, and an alert on missing figures may be the only sign.
# related_resources:
#   - https://prometheus-operator.dev/docs/platform/troubleshooting/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   facts: [blocked_monitors]
#   admission: grace
package policies.network.monitor_blocked

import data.lib.text

deny contains finding if {
	some one in input.facts.blocked_monitors
	finding := {
		"path": ["metadata", "name"],
		"anchor": sprintf("%s/%s:%d%s", [one.object.kind, one.object.name, one.port, one.path]),
		"message": sprintf("%s asks for %s on port %d, and %s cannot reach it there", [
			one.by, one.path, one.port, text.joined(" and ", one.monitors),
		]),
		"evidence": array.concat(
			[{"message": sprintf("asks for %s", [one.path]), "object": one.object, "path": one.place}],
			one.reasons,
		),
		"fix": {
			"title": sprintf("admit the monitor to port %d, or take the %s away", [one.port, one.object.kind]),
			"safety": "manual",
		},
	}
}
