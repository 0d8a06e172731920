# METADATA
# title: maxUnavailable that the API server drops
# description: |
#   Of a StatefulSet the field is stored only with the feature gate MaxUnavailableStatefulSet, which is off
#   by default up to Kubernetes 1.36: the request is accepted, the field is gone, and pods are replaced
#   one after the other.
# related_resources:
#   - https://kep.k8s.io/961
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [StatefulSet]
package policies.rollout.dropped_max_unavailable

deny contains finding if {
	path := ["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]
	value := object.get(input.object, path, null)
	value != null
	value != 1
	not input.object.metadata.uid
	input.kubernetes <= 136
	finding := {
		"path": path,
		"message": sprintf("maxUnavailable %v is dropped where the feature gate MaxUnavailableStatefulSet is off, as by default in Kubernetes 1.36: one pod is replaced at a time", [value]),
		"fix": {
			"title": "say what happens",
			"safety": "safe",
			"patch": [{"op": "remove", "path": path}],
		},
	}
}
