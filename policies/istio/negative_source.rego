# METADATA
# title: ALLOW of everybody but somebody
# description: |
#   `notPrincipals`, `notNamespaces` and `notServiceAccounts` hold for every caller without an
#   identity, which is whoever calls in plain text: a pod without a sidecar, a node, the outside. An
#   ALLOW that names only those who may not call lets all of these in, the excluded one too as soon as
#   it leaves its sidecar out. Recorded from a real Envoy: ALLOW `notPrincipals` of one account
#   admitted its pod's address in plain text and a stranger of the internet. Beside `namespaces: ["*"]` or
#   `principals: ["*"]`, or where mTLS is STRICT, callers have an identity.
# related_resources:
#   - https://istio.io/latest/docs/concepts/security/#dependency-on-mutual-tls
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.negative_source

import data.lib.istio

identities := {"namespaces", "principals", "serviceAccounts", "trustDomains"}

deny contains finding if {
	istio.action == "ALLOW"
	there := istio.in_plain_text
	some field in negative_fields
	not known_by_source(field)
	not known_by_condition(field)
	finding := {
		"path": field.path,
		"message": sprintf("'%s' admits every caller without an identity%s", [field.name, there]),
	}
}

negative_fields contains field if {
	some value in istio.values
	value.negative
	value.positive in identities
	field := {
		"rule": value.rule,
		"within": value.within,
		"path": array.slice(value.path, 0, count(value.path) - 1),
		"name": named(value),
	}
}

named(value) := value.field if startswith(value.field, "not")

named(value) := sprintf("%s notValues", [value.field]) if not startswith(value.field, "not")

# All fields of a source have to hold, and all conditions of a rule.
known_by_source(field) if {
	some value in istio.values
	value.within == field.within
	value.positive in identities
	not value.negative
}

known_by_source(field) if {
	some source in istio.sources
	source.path == field.within
	requests_need_a_token(source.spec)
}

requests_need_a_token(spec) if istio.is_filled(spec.requestPrincipals)

known_by_condition(field) if {
	some condition in istio.conditions
	condition.rule == field.rule
	istio.as_field[condition.key] in identities
	istio.is_filled(condition.spec.values)
}
