# METADATA
# title: Waits for a keyboard
# description: |
#   stdin and tty keep a container open for somebody who types: a leftover of debugging, which makes
#   `kubectl attach` a way in and keeps a shell from ending. Ephemeral containers are for debugging, and
#   are not told.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   equivalents: [gatekeeper:disallowinteractive]
package policies.workload.interactive_container

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	container.list != "ephemeralContainers"
	on := [field | some field in ["stdin", "tty"]; is_on(container, field)]
	count(on) > 0
	finding := {
		"path": array.concat(container.path, [on[0]]),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' waits for somebody who types", [workload.name(container)]),
		"fix": {
			"title": "wait for nobody",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": array.concat(container.path, [field]), "value": false} |
				some field in on
			],
		},
	}
}

is_on(container, "stdin") if container.spec.stdin == true

is_on(container, "tty") if container.spec.tty == true
