# METADATA
# title: Image not pinned by its digest
# description: |
#   A tag can be pushed again: what runs tomorrow need not be what was tested today. A digest names
#   the content itself. It counts where the container runtime can read it: sha256, sha384 or sha512,
#   in its full length.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     A digest says nothing to people, and has to be moved by a tool for every release and every
#     security update; where no tool does that, pinned images grow old. Registries with immutable tags
#     give the same promise.
#   fix: manual
#   equivalents:
#     - checkov:CKV_K8S_43
#     - kubescape:C-0306
#     - kics:image_without_digest
#     - kyverno:require-image-checksum
#     - gatekeeper:imagedigests
package policies.image.not_pinned

import data.lib.images

deny contains finding if {
	some image in images.all
	not images.is_pinned(image.text)
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s names no digest of its image: '%s'", [images.who(image), image.text]),
	}
}
