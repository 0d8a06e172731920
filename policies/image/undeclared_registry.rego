# METADATA
# title: Image from a registry that nobody declared
# description: |
#   Whoever can push to a registry decides what runs in the cluster. The configuration says which are
#   trusted; an image from any other is a finding. Without such a list nothing is said.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   parameters:
#     registries:
#       description: |
#         Registries, or parts of them, from which images may come: registry.example or
#         ghcr.io/example/team. *.registry.example stands for all below it; docker.io is meant where
#         no registry is written.
#       default: []
#   equivalents:
#     - trivy:KSV-0125
#     - kubescape:C-0001
#     - kubescape:C-0078
#     - popeye:POP-113
#     - kyverno:restrict-image-registries
#     - kyverno:allowed-image-repos
#     - gatekeeper:allowedrepos
package policies.image.undeclared_registry

import data.lib.images

deny contains finding if {
	some image in images.all
	not is_declared(image.text)
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s takes its image from %s, which is not among the declared registries", [
			images.who(image), images.registry(image.text),
		]),
	}
}

is_declared(text) if {
	some registry in input.parameters.registries
	is_from(images.name(text), trim_suffix(registry, "/"))
}

is_from(name, registry) if is_below(name, registry)

is_from(name, registry) if {
	startswith(registry, "*.")
	host := split(name, "/")[0]
	wanted := split(registry, "/")[0]
	endswith(host, trim_prefix(wanted, "*"))
	is_below(trim_prefix(name, host), trim_prefix(registry, wanted))
}

is_below(name, place) if name == place

is_below(name, place) if startswith(name, sprintf("%s/", [place]))
