# METADATA
# title: Two Services with the same selector
# description: |
#   Both lead to the same pods on the same port: often one of them was copied and not changed, and then
#   leads to the wrong pods. Headless Services beside others are common and not meant.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     A second name for the same pods is how a rename, or one Service for inside and one for outside,
#     is done.
#   fix: manual
#   kinds: [Service]
#   facts: [service]
#   equivalents: [gatekeeper:unique-service-selector, kyverno:require-unique-service-selector]
package policies.network.twin_services

import data.lib.text

deny contains finding if {
	twins := input.facts.service.twins
	count(twins) > 0
	finding := {
		"path": ["spec", "selector"],
		"message": sprintf("selects the same pods as %s, with a port in common", [text.joined(", ", twins)]),
	}
}
