# METADATA
# title: Field that Istio does not know
# description: |
#   The API server drops a field that is not in the schema, and says so to `kubectl` alone. What is
#   left says less than what was written: a mistyped `form:` or `operations:` leaves a rule without
#   restrictions. Recorded from a real Envoy: a rule with nothing but an unknown field, once stored,
#   admitted everybody.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/
#   - https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy, PeerAuthentication]
package policies.istio.unknown_field

import data.lib.istio

deny contains finding if {
	some part in parts
	some field in object.keys(part.spec)
	not field in part.fields
	finding := {
		"path": array.concat(part.path, [field]),
		"message": sprintf("the API server drops '%s', which is no field of %s%s", [field, part.name, left(part)]),
	}
}

parts contains {"name": "an AuthorizationPolicy", "path": ["spec"], "spec": istio.spec, "fields": {
	"action", "provider", "rules", "selector", "targetRef", "targetRefs",
}}

parts contains part if {
	some rule in istio.rules
	part := {"name": "a rule", "path": rule.path, "spec": rule.spec, "fields": {"from", "to", "when"}}
}

parts contains part if {
	some rule in istio.rules
	some list, field in {"from": "source", "to": "operation"}
	is_array(rule.spec[list])
	some index, item in rule.spec[list]
	is_object(item)
	part := {
		"name": sprintf("'%s'", [list]),
		"path": array.concat(rule.path, [list, index]),
		"spec": item,
		"fields": {field},
	}
}

parts contains part if {
	some source in istio.sources
	part := {"name": "a source", "path": source.path, "spec": source.spec, "fields": source_fields}
}

parts contains part if {
	some operation in istio.operations
	part := {"name": "an operation", "path": operation.path, "spec": operation.spec, "fields": operation_fields}
}

parts contains part if {
	some condition in istio.conditions
	part := {
		"name": "a condition",
		"path": condition.path,
		"spec": condition.spec,
		"fields": {"key", "notValues", "values"},
	}
}

parts contains {
	"name": "a PeerAuthentication", "path": ["spec"], "spec": istio.peer,
	"fields": {"mtls", "portLevelMtls", "selector"},
}

parts contains {"name": "a selector", "path": ["spec", "selector"], "spec": istio.selector, "fields": {"matchLabels"}}

parts contains part if {
	is_object(istio.peer.mtls)
	part := {"name": "'mtls'", "path": ["spec", "mtls"], "spec": istio.peer.mtls, "fields": {"mode"}}
}

source_fields := {
	"ipBlocks", "namespaces", "notIpBlocks", "notNamespaces", "notPrincipals", "notRemoteIpBlocks",
	"notRequestPrincipals", "notServiceAccounts", "notTrustDomains", "principals", "remoteIpBlocks",
	"requestPrincipals", "serviceAccounts", "trustDomains",
}

operation_fields := {"hosts", "methods", "notHosts", "notMethods", "notPaths", "notPorts", "paths", "ports"}

# What is left where nothing else is written.
left(part) := "" if count(known_fields(part)) > 0

left(part) := sprintf("; what is left %s", [meaning(part)]) if count(known_fields(part)) == 0

known_fields(part) := {field | some field in object.keys(part.spec); field in part.fields}

meaning(part) := everybody[istio.action] if part.name == "a rule"

meaning(part) := "says nothing" if not part.name in {"a rule", "a selector"}

meaning(part) := "selects every workload" if part.name == "a selector"

everybody := {
	"ALLOW": "admits everybody", "AUDIT": "tells of everybody",
	"CUSTOM": "asks about everybody", "DENY": "denies everybody",
}
