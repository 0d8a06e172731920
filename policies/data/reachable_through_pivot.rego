# METADATA
# title: Personal data within reach through a client
# description: |
#   Policies keep strangers from the data, and not from one of its clients: whoever breaks into that
#   client reads what the client may read. Told are clients that nothing leads the internet to and that
#   accept traffic from outside of their own namespace nevertheless: to close them costs one policy. A
#   client that is open to the internet by design is not told.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   profile: strict
#   waivable: central
#   fix: manual
#   facts: [pivots]
package policies.data.reachable_through_pivot

import data.lib.personal

deny contains finding if {
	pivots := input.facts.pivots
	some client in pivots.through
	finding := {
		"path": personal.place(pivots),
		"anchor": client.name,
		"message": sprintf("holds %s, and its client %s is open to %s on %s, %s", [
			personal.said(pivots), client.name, whom(client), client.ports,
			"so that who breaks into that gets at the data",
		]),
		"evidence": array.concat(
			[{
				"message": sprintf("%s may ask for the data", [client.name]),
				"object": client.object,
				"path": ["metadata", "name"],
				"anchor": client.name,
			}],
			reasons(client),
		),
	}
}

# Where nobody in particular is told, it is everybody.
whom(client) := "every pod of the cluster" if client.who == ""

whom(client) := sprintf("every pod of the cluster, %s among them (%s),", [client.who, client.why]) if {
	client.everybody
	client.who != ""
}

whom(client) := sprintf("%s (%s)", [client.who, client.why]) if not client.everybody

reasons(client) := [place |
	some reason in client.reasons
	reason.object != null
	place := {"message": reason.message, "object": reason.object, "path": reason.path}
]
