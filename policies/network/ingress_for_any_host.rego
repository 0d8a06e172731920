# METADATA
# title: Ingress for any host
# description: |
#   A rule without a host, or with a wildcard, takes requests for names that are not its own: those of
#   other teams behind the same controller, too.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [Ingress]
#   equivalents:
#     - kyverno:restrict-ingress-wildcard
#     - kyverno:disallow-empty-ingress-host
#     - gatekeeper:block-wildcard-ingress
package policies.network.ingress_for_any_host

deny contains finding if {
	is_array(input.object.spec.rules)
	some index, rule in input.object.spec.rules
	is_object(rule)
	object.get(rule, "host", "") in {"", null}
	finding := {
		"path": ["spec", "rules", index],
		"anchor": "",
		"message": "takes requests for any host: the rule names none",
	}
}

deny contains finding if {
	is_array(input.object.spec.rules)
	some index, rule in input.object.spec.rules
	is_string(rule.host)
	contains(rule.host, "*")
	finding := {
		"path": ["spec", "rules", index, "host"],
		"anchor": rule.host,
		"message": sprintf("takes requests for every host of '%s'", [rule.host]),
	}
}
