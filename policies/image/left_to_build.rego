# METADATA
# title: Image that a build has to name
# description: |
#   A single word without a tag that is no official image of Docker Hub, and no pull policy beside it,
#   can be pulled from nowhere: Skaffold, Kustomize or a pipeline puts an image in its place, and what
#   tag that has stands there. Strict alone asks, for the manifest is mostly never applied as it stands.
#   Where it is, the node runs whatever image was last given to it under that name.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents:
#     - trivy:KSV-0013
#     - checkov:CKV_K8S_14
#     - kubescape:C-0075
#     - kube-linter:latest-tag
#     - polaris:tagNotSpecified
#     - kube-score:container-image-tag
#     - popeye:POP-100
#     - kubeaudit:ImageTagMissing
#     - kics:invalid_image
#     - kyverno:disallow-latest-tag
#     - gatekeeper:disallowedtags
#     - prowler:core_image_tag_fixed
package policies.image.left_to_build

import data.lib.images

deny contains finding if {
	some image in images.lasting
	images.is_left_to_build(image)
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s has no image yet: '%s' is on no registry, and a build has to name it", [
			images.who(image), image.text,
		]),
	}
}
