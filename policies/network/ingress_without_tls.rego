# METADATA
# title: Host of an Ingress without TLS
# description: |
#   What is sent to a host that no entry of `tls` names goes in plain text, passwords and cookies with
#   it. An entry without hosts stands for all of them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Ingress]
#   equivalents:
#     - kubescape:C-0263
#     - polaris:tlsSettingsMissing
#     - kyverno:require-ingress-https
#     - kyverno:ingress-host-match-tls
#     - gatekeeper:https-only
package policies.network.ingress_without_tls

deny contains finding if {
	is_array(input.object.spec.rules)
	some index, rule in input.object.spec.rules
	is_object(rule)
	not covered(host_of(rule))
	finding := {
		"path": array.concat(["spec", "rules", index], place(rule)),
		"anchor": host_of(rule),
		"message": sprintf("%s is served without TLS", [told(host_of(rule))]),
	}
}

deny contains finding if {
	is_object(input.object.spec.defaultBackend)
	count(entries) == 0
	no_rules
	finding := {
		"path": ["spec", "defaultBackend"],
		"message": "any host is served without TLS",
	}
}

no_rules if not is_array(object.get(input.object.spec, "rules", null))

no_rules if input.object.spec.rules == []

host_of(rule) := rule.host if is_string(object.get(rule, "host", null))

host_of(rule) := "" if not is_string(object.get(rule, "host", null))

place(rule) := ["host"] if host_of(rule) != ""

place(rule) := [] if host_of(rule) == ""

told(host) := "any host" if host == ""

told(host) := sprintf("host '%s'", [host]) if host != ""

entries := [entry | some entry in list(object.get(input.object.spec, "tls", [])); is_object(entry)]

names(entry) := [name | some name in list(object.get(entry, "hosts", [])); is_string(name)]

list(value) := value if is_array(value)

covered(_) if {
	some entry in entries
	count(names(entry)) == 0
}

covered(host) if {
	some entry in entries
	some name in names(entry)
	same(lower(name), lower(host))
}

same(name, host) if name == host

# A wildcard stands for one label, as in certificates.
same(name, host) if {
	startswith(name, "*.")
	array.slice(split(name, "."), 1, 100) == array.slice(split(host, "."), 1, 100)
}
