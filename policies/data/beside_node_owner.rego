# METADATA
# title: Personal data beside a workload that owns the node
# description: |
#   A container that runs privileged, in the namespaces of the node or with its folders, can become the
#   node, and then reads the memory and the volumes of every pod there: no NetworkPolicy stops that.
#   Clients of the data and parts of the cluster itself are not told. Taints, node selectors or
#   anti-affinity keep the two apart.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/multi-tenancy/#node-isolation
# custom:
#   severity: medium
#   profile: recommended
#   waivable: central
#   fix: manual
#   facts: [neighbours]
package policies.data.beside_node_owner

import data.lib.personal

deny contains finding if {
	neighbours := input.facts.neighbours
	owners := [owner | some owner in neighbours.owners; owner.surely]
	count(owners) > 0
	worst := owners[0]
	finding := {
		"path": personal.place(neighbours),
		"message": sprintf("holds %s, and stands on a node with %s, which owns the node (%s)%s", [
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
