# METADATA
# title: Writes may reach a standby
# description: |
#   One Service leads to all members of a database of which only one takes writes: of three requests,
#   two reach a standby, which refuses them or answers with old data. The Service for writes has to ask
#   for the role in its selector, as operators do, or a proxy that knows it has to stand in front.
# related_resources:
#   - https://cloudnative-pg.io/documentation/current/service_management/
#   - https://kubernetes.io/docs/tasks/run-application/run-replicated-stateful-application/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [clientele]
#   admission: grace
package policies.routing.writes_reach_standby

deny contains finding if {
	members := input.facts.clientele.members
	members != null
	finding := {
		"path": ["spec", "selector"],
		"anchor": members.name,
		"message": sprintf(
			"leads %s to any of the %d members of %s (%s), and only one of them takes writes",
			[members.clients, members.count, members.name, members.image],
		),
		"evidence": input.facts.clientele.evidence,
	}
}
