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
	worst := neighbours.owners[0]
	finding := {
		"path": personal.place(neighbours),
		"message": sprintf("holds %s, and %s %s, which owns the node (%s)%s", [
			personal.said(neighbours), stands(worst), worst.name, worst.why, others(neighbours),
		]),
		"evidence": [place |
			some owner in neighbours.owners
			place := {
				"message": sprintf("%s owns its node: %s", [owner.name, owner.why]),
				"object": owner.object,
				"path": owner.path,
				"anchor": owner.name,
			}
		],
	}
}

stands(owner) := "stands on a node with" if owner.surely

stands(owner) := "may stand on a node with" if not owner.surely

others(neighbours) := "" if count(neighbours.owners) == 1

others(neighbours) := ", and one more like it" if count(neighbours.owners) == 2

others(neighbours) := sprintf(", and %d more like it", [count(neighbours.owners) - 1]) if count(neighbours.owners) > 2
