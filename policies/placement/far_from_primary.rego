# METADATA
# title: Away from the member of its database that takes writes
# description: |
#   The database has members in several racks, and the one that works is in another rack than pods of
#   this service: each write goes there. An affinity to the pod with the role follows it when the roles
#   change, at the next start of the service's pods. A Service for reading may lead to any member.
# related_resources:
#   - https://cloudnative-pg.io/documentation/current/labels_annotations/
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity
# custom:
#   severity: low
#   profile: strict
#   fix: generated
#   kinds: [Deployment, ReplicaSet, ReplicationController, Rollout]
#   facts: [primary]
#   admission: grace
package policies.placement.far_from_primary

deny contains finding if {
	some found in input.facts.primary
	finding := {
		"path": found.path,
		"anchor": found.database,
		"message": sprintf(
			"%d of its %d pods are %d hops from %s, the member of its database that takes writes, while its rack %s has room for them",
			[found.away, found.pods, found.hops, found.member, found.rack],
		),
		"evidence": found.evidence,
		"fix": {"title": "prefer the rack of the member that works", "safety": "unsafe", "synthesize": "follow_primary"},
	}
}
