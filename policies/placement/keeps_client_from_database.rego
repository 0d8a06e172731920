# METADATA
# title: Takes the room beside a database that it does not use
# description: |
#   A service that uses no database stands in the rack of one, and for a client of that database no
#   room is left there, so that each of its queries goes to another rack. The service fits elsewhere
#   and loses nothing. Told only where the client would fit if the service were gone.
# related_resources:
#   - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
# custom:
#   severity: medium
#   profile: recommended
#   fix: generated
#   kinds: [Deployment, ReplicaSet, ReplicationController, Rollout]
#   facts: [crowding]
#   admission: grace
package policies.placement.keeps_client_from_database

deny contains finding if {
	some found in input.facts.crowding
	finding := {
		"path": found.path,
		"anchor": found.client,
		"message": sprintf(
			"stands in rack %s with %d of its pods, where %s has its database %s and finds no room: %d of its %d pods are elsewhere, and would fit",
			[found.rack, found.pods, found.client, found.database, found.outside, found.replicas],
		),
		"evidence": found.evidence,
		"fix": {"title": "leave the rack to the client of the database", "safety": "unsafe", "synthesize": "make_room"},
	}
}
