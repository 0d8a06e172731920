# METADATA
# title: Clients are sent to pods that are not ready
# description: |
#   publishNotReadyAddresses lists pods as ready that are not, so that the members of a cluster find
#   each other before they serve. Behind a Service with an address of its own, clients and routes are
#   then sent to pods that start, hang or end. Peers have a headless Service for themselves.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServiceSpec
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Service]
#   facts: [clientele]
#   admission: grace
package policies.routing.publishes_unready

deny contains finding if {
	input.object.spec.publishNotReadyAddresses == true
	found := input.facts.clientele
	not found.headless
	finding := {
		"path": ["spec", "publishNotReadyAddresses"],
		"message": sprintf(
			"sends requests of %s to pods that are not ready, too",
			[found.asking],
		),
		"evidence": found.evidence,
		"fix": {
			"title": "list only pods that are ready",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": ["spec", "publishNotReadyAddresses"]}],
		},
	}
}
