# METADATA
# title: Image without a fixed tag
# description: |
#   An image without a tag, or with the tag 'latest', is whatever was pushed last: two pods of one
#   workload may run different programs, and going back to the version before is not possible, since
#   nothing names it. A digest names one image, whatever tag stands beside it. Ephemeral containers are
#   started once and are not judged, nor is the image 'auto', for which Istio puts its own. A name that
#   a build has to replace is told by image/left_to_build.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   equivalents:
#     - trivy:KSV-0013
#     - checkov:CKV_K8S_14
#     - kubescape:C-0075
#     - kube-linter:latest-tag
#     - polaris:tagNotSpecified
#     - kube-score:container-image-tag
#     - popeye:POP-100
#     - popeye:POP-101
#     - kubeaudit:ImageTagMissing
#     - kics:invalid_image
#     - kyverno:disallow-latest-tag
#     - gatekeeper:disallowedtags
#     - prowler:core_image_tag_fixed
package policies.image.latest_tag

import data.lib.images

deny contains finding if {
	some image in images.lasting
	not images.is_left_to_build(image)
	is_moving(image.text)
	why := fault(image.text)
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s takes whatever image was pushed last: '%s' %s", [
			images.who(image), image.text, why,
		]),
	}
}

is_moving(text) if images.is_bare(text)

is_moving(text) if endswith(text, ":latest")

fault(text) := "has no tag" if images.is_bare(text)

fault(text) := "has the tag 'latest'" if endswith(text, ":latest")
