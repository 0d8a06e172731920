# METADATA
# title: The standby cannot take over
# description: |
#   A standby that is not ready takes no request when the active one is lost, and one that asks for less
#   memory or CPU is killed or throttled under the same load. A standby that is scaled to none until it
#   is needed is not meant, nor one that says by its readiness who holds the Lease.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   facts: [pair]
#   admission: grace
package policies.redundancy.standby_unfit

deny contains finding if {
	some why in input.facts.pair.unfit
	finding := {
		"path": input.facts.pair.path,
		"anchor": why,
		"message": sprintf("cannot be replaced by what stands by: %s", [why]),
		"evidence": input.facts.pair.evidence,
	}
}
