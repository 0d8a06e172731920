# METADATA
# title: Port by a name that no pod has
# description: |
#   A port by its name means what the containers of each pod call so, for the same protocol; the names of
#   a Service's ports do not count. Where no pod that the rule means has the name, it admits nothing.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_effects]
#   admission: grace
package policies.network.unknown_port_name

import data.lib.netpol

deny contains finding if {
	some entry in input.facts.policy_effects.port_names
	finding := {
		"path": entry.path,
		"anchor": sprintf("%s port %d", [netpol.rule(entry.path), entry.path[4] + 1]),
		"message": sprintf("no container that %s means has a %s port '%s', so that it admits nothing there%s", [
			netpol.rule(entry.path), entry.protocol, entry.name, hint(entry),
		]),
	}
}

hint(entry) := sprintf("; %s", [entry.hint]) if entry.hint != ""

hint(entry) := "" if entry.hint == ""
