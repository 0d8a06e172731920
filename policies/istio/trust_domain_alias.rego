# METADATA
# title: Trust domain that stands for all
# description: |
#   A whole value of `trustDomains` that is a trust domain of the mesh, or one of its aliases, stands
#   for all of them: a rule cannot tell callers of one from those of another. Recorded from a
#   real Envoy: with aliases, `trustDomains: [other.domain]` admitted callers of cluster.local as well.
# related_resources:
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.trust_domain_alias

import data.lib.istio
import data.lib.text

domains := input.facts.mesh.trust_domains if input.facts.mesh.known

deny contains finding if {
	count(domains) > 1
	some value in istio.values
	value.positive == "trustDomains"
	value.text in domains
	finding := {
		"path": value.path,
		"message": sprintf("'%s' stands for every trust domain of the mesh: %s", [value.text, text.joined(", ", domains)]),
	}
}
