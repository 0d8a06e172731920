# METADATA
# title: Personal data that may share a node with a workload that owns it
# description: |
#   A container that runs privileged, in the namespaces of the node or with its folders, can become the
#   node, and then reads the memory and the volumes of every pod there: no NetworkPolicy stops that.
#   Nothing keeps the two apart here: where they stand is up to the scheduler. Taints, node selectors
#   or anti-affinity decide it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/multi-tenancy/#node-isolation
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   facts: [neighbours]
package policies.data.may_share_node_with_owner

import data.lib.personal

deny contains finding if {
	neighbours := input.facts.neighbours
	owners := [owner | some owner in neighbours.owners; not owner.surely]
	count(owners) > 0
	worst := owners[0]
	finding := {
		"path": personal.place(neighbours),
		"message": sprintf("holds %s, and may stand on a node with %s, which owns the node (%s)%s", [
			personal.said(neighbours), worst.name, worst.why, personal.and_more(owners),
		]),
		"evidence": [place |
			some owner in owners
			place := {
				"message": sprintf("%s owns its node: %s", [owner.name, owner.why]),
				"object": owner.object,
				"path": owner.path,
				"anchor": owner.name,
			}
		],
	}
}
