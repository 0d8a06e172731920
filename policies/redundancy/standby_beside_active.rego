# METADATA
# title: What stands by is lost together with what works
# description: |
#   An active pod has a standby so that the loss of one leaves the other. Where both, or the active pod
#   and all of its standbys, share a node, a rack or a zone, one loss takes them all, and the standby
#   has only cost. A hard rule for nodes and a soft one for racks and zones keeps them apart. The roles
#   are those that labels or the holder of a Lease tell now.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
#   - https://cloudnative-pg.io/documentation/current/scheduling/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   facts: [pair]
#   admission: grace
package policies.redundancy.standby_beside_active

import data.lib.text

deny contains finding if {
	found := input.facts.pair
	shared := found.together
	shared != null
	finding := {
		"path": found.path,
		"anchor": shared.level,
		"severity": shared.grade,
		"message": sprintf(
			"active %s and all that stands by (%s) are in %s %s, and there are %d %ss: one loss takes them all",
			[text.joined(", ", found.active), text.joined(", ", found.passive), shared.level, shared.name, shared.places, shared.level],
		),
		"evidence": found.evidence,
	}
}
