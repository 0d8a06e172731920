# METADATA
# title: Principal of a trust domain that nobody has
# description: |
#   Callers have the trust domain of the mesh or one of its aliases; any other gets no connection.
#   `cluster.local` in a whole principal stands for all of these, but a prefix such as
#   `cluster.local/ns/shop/*` is taken as it is written. Recorded from a real Envoy: in a mesh of
#   trust domain td2, the whole principal of cluster.local admitted its account, and the prefix
#   admitted nobody. `*/ns/shop/sa/web` is written for any domain.
# related_resources:
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.foreign_trust_domain

import data.lib.istio
import data.lib.text

domains := input.facts.mesh.trust_domains if input.facts.mesh.known

deny contains finding if {
	count(domains) > 0
	some value in istio.values
	some domain in domain_of(value)
	not domain in domains
	not stands_for_all(value, domain)
	finding := {
		"path": value.path,
		"message": sprintf("no caller has the trust domain of '%s', %s: here it is %s", [
			value.text, istio.without_a_match(value), text.joined(" or ", domains),
		]),
	}
}

# Prefixes are not expanded to the other domains of the mesh.
deny contains finding if {
	some value in istio.values
	endswith(value.text, "*")
	some domain in domain_of(value)
	domain in domains
	count(domains) > 1
	finding := {
		"path": value.path,
		"message": sprintf("a prefix is not expanded to the other trust domains of the mesh: '%s' is for callers of '%s' alone", [value.text, domain]),
	}
}

domain_of(value) := {split(value.text, "/ns/")[0] |
	value.positive == "principals"
	contains(value.text, "/ns/")
	not startswith(value.text, "*")
	not startswith(value.text, "spiffe://")
} | {value.text |
	value.positive == "trustDomains"
	not contains(value.text, "*")
}

stands_for_all(value, domain) if {
	domain == "cluster.local"
	not endswith(value.text, "*")
}
