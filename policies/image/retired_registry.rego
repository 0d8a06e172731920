# METADATA
# title: Image from the retired registry k8s.gcr.io
# description: |
#   k8s.gcr.io is frozen since April 2023: new versions and fixes of Kubernetes' own images are
#   published at registry.k8s.io alone, which has the older ones too, under the same names. What asks
#   the old address is sent on to the new one, for as long as somebody keeps that up.
# related_resources:
#   - https://kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement/
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   equivalents:
#     - kubescape:C-0253
#     - kyverno:restrict-deprecated-registry
package policies.image.retired_registry

import data.lib.images

retired := "k8s.gcr.io/"

deny contains finding if {
	some image in images.lasting
	startswith(image.text, retired)
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s takes its image from the retired registry k8s.gcr.io", [images.who(image)]),
		"fix": {
			"title": "take the same image from registry.k8s.io",
			"safety": "safe",
			"patch": [{"op": "replace", "path": image.path, "value": moved(image.text)}],
		},
	}
}

moved(text) := sprintf("registry.k8s.io/%s", [trim_prefix(text, retired)])
