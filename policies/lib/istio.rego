# What policies on Istio's AuthorizationPolicy and PeerAuthentication have in common.
#
# Fields: https://github.com/istio/api, security/v1beta1/authorization_policy.proto.
package lib.istio

ours(kind) if {
	input.object.kind == kind
	startswith(input.object.apiVersion, "security.istio.io/")
}

is_authorization if ours("AuthorizationPolicy")

is_peer_authentication if ours("PeerAuthentication")

# A policy without a spec is one with an empty one.
spec := found if {
	is_authorization
	found := object.get(input.object, "spec", {})
	is_object(found)
}

peer := found if {
	is_peer_authentication
	found := object.get(input.object, "spec", {})
	is_object(found)
}

action := object.get(spec, "action", "ALLOW")

# The workload selector of either, where it is written as one.
selector := spec.selector if is_object(spec.selector)

selector := peer.selector if is_object(peer.selector)

selected_labels := selector.matchLabels if is_object(selector.matchLabels)

selects_by_label if count(selected_labels) > 0

# {"index": 0, "path": [...], "spec": {...}}
rules contains rule if {
	is_array(spec.rules)
	some index, written in spec.rules
	is_object(written)
	rule := {"index": index, "path": ["spec", "rules", index], "spec": written}
}

sources contains part if {
	some rule in rules
	is_array(rule.spec.from)
	some index, written in rule.spec.from
	is_object(written.source)
	part := {
		"rule": rule.index,
		"path": array.concat(rule.path, ["from", index, "source"]),
		"spec": written.source,
	}
}

operations contains part if {
	some rule in rules
	is_array(rule.spec.to)
	some index, written in rule.spec.to
	is_object(written.operation)
	part := {
		"rule": rule.index,
		"path": array.concat(rule.path, ["to", index, "operation"]),
		"spec": written.operation,
	}
}

conditions contains part if {
	some rule in rules
	is_array(rule.spec.when)
	some index, written in rule.spec.when
	is_string(written.key)
	part := {
		"rule": rule.index,
		"path": array.concat(rule.path, ["when", index]),
		"key": written.key,
		"spec": written,
	}
}

# Conditions that say what a field says.
as_field := {
	"destination.port": "ports",
	"remote.ip": "remoteIpBlocks",
	"request.auth.principal": "requestPrincipals",
	"source.ip": "ipBlocks",
	"source.namespace": "namespaces",
	"source.principal": "principals",
	"source.serviceAccount": "serviceAccounts",
	"source.trustDomain": "trustDomains",
}

negated := {
	"hosts": "notHosts",
	"ipBlocks": "notIpBlocks",
	"methods": "notMethods",
	"namespaces": "notNamespaces",
	"paths": "notPaths",
	"ports": "notPorts",
	"principals": "notPrincipals",
	"remoteIpBlocks": "notRemoteIpBlocks",
	"requestPrincipals": "notRequestPrincipals",
	"serviceAccounts": "notServiceAccounts",
	"trustDomains": "notTrustDomains",
}

# Every text of every list of a rule, whether in a field or in a condition of the same meaning:
# {"rule": 0, "within": [the source, operation or condition], "path": [...], "field": "paths",
# "negative": false, "text": "/x"}
values contains value if {
	some part in (sources | operations)
	some positive, negative in negated
	some field in {positive, negative}
	is_array(part.spec[field])
	some index, text in part.spec[field]
	is_string(text)
	value := {
		"rule": part.rule,
		"within": part.path,
		"path": array.concat(part.path, [field, index]),
		"field": field,
		"positive": positive,
		"negative": field == negative,
		"text": text,
	}
}

values contains value if {
	some part in conditions
	positive := as_field[part.key]
	some list in {"values", "notValues"}
	is_array(part.spec[list])
	some index, text in part.spec[list]
	is_string(text)
	value := {
		"rule": part.rule,
		"within": part.path,
		"path": array.concat(part.path, [list, index]),
		"field": part.key,
		"positive": positive,
		"negative": list == "notValues",
		"text": text,
	}
}

# What it means that a value never matches, by the action and whether it is negative.
effect_of_no_match := {
	"ALLOW": {false: "so it admits nothing", true: "so it keeps nothing out"},
	"AUDIT": {false: "so it tells of nothing", true: "so it leaves nothing out"},
	"CUSTOM": {false: "so nothing is asked about it", true: "so it spares nothing"},
	"DENY": {false: "so it denies nothing", true: "so it spares nothing"},
}

without_a_match(value) := effect_of_no_match[action][value.negative]

# An asterisk is a wildcard alone, or as the very first or the very last character; in any other
# place it is itself. With one at both ends the first counts.
# https://github.com/istio/istio/blob/master/pilot/pkg/security/authz/matcher/string.go
literal_part(text) := substring(text, 1, -1) if startswith(text, "*")

literal_part(text) := substring(text, 0, count(text) - 1) if {
	not startswith(text, "*")
	endswith(text, "*")
}

literal_part(text) := text if {
	not startswith(text, "*")
	not endswith(text, "*")
}

# A list with something in it.
is_filled(list) if {
	is_array(list)
	count(list) > 0
}

is_template(text) if contains(text, "{*}")

is_template(text) if contains(text, "{**}")

# The fields that only a request of HTTP has.
http_fields := {
	"hosts", "notHosts", "methods", "notMethods", "paths", "notPaths",
	"requestPrincipals", "notRequestPrincipals",
}

is_http_key(key) if startswith(key, "request.")

# A dropped rule, by the action.
dropped := effect_of_a_drop[action]

effect_of_a_drop := {
	"ALLOW": ", so it admits nobody",
	"AUDIT": "",
	"CUSTOM": ", so nothing is asked about it",
	"DENY": ", so it denies nothing",
}

# Hosts that leave out what has a port, unless the same list has them with any port.
hosts_without_port contains value if {
	some value in values
	value.positive == "hosts"
	not contains(value.text, ":")
	not endswith(value.text, "*")
	not is_with_any_port(value)
}

is_with_any_port(value) if {
	some other in values
	other.within == value.within
	other.field == value.field
	other.text in {sprintf("%s:*", [value.text]), sprintf("%s*", [value.text])}
}

# Whether a value belongs to a list of what shall not pass.
denies(value) if {
	action in {"CUSTOM", "DENY"}
	not value.negative
}

denies(value) if {
	action == "ALLOW"
	value.negative
}

# A policy of gateways: by what it is attached to, or by a label that their pods have.
is_for_gateways if {
	some target in targets
	target.kind in {"Gateway", "GatewayClass"}
}

is_for_gateways if {
	some key, value in selected_labels
	key in {"app", "gateway.networking.k8s.io/gateway-name", "istio", "istio.io/gateway-name"}
	is_gateway_label(key, value)
}

is_gateway_label(key, _) if endswith(key, "gateway-name")

is_gateway_label(_, value) if {
	is_string(value)
	contains(value, "gateway")
}

targets contains target if {
	is_array(spec.targetRefs)
	some target in spec.targetRefs
}

targets contains spec.targetRef

# Who takes plain text among those that the policy selects: "; pii/customers takes plain text", or
# undefined where nobody does.
in_plain_text := sprintf("; %s takes plain text", [takers.first]) if takers.count == 1

in_plain_text := sprintf("; %s take plain text", [who(takers)]) if takers.count > 1

# Those whom it will select are as their namespace says.
in_plain_text := "; no PeerAuthentication here asks for mTLS" if takers.count == 0

takers := input.facts.mesh.plaintext

# A group of which the first is named: "shop/web and 2 more".
who(group) := group.first if group.count < 2

who(group) := sprintf("%s and %d more", [group.first, group.count - 1]) if group.count > 1

# Where a rule needs HTTP: {"rule": 0, "path": [...], "field": "methods", "within": [the part]}
http_uses contains use if {
	some part in (sources | operations)
	some field in http_fields
	is_filled(part.spec[field])
	use := {"rule": part.rule, "path": array.concat(part.path, [field]), "field": field, "within": part.path}
}

http_uses contains use if {
	some part in conditions
	is_http_key(part.key)
	use := {"rule": part.rule, "path": array.concat(part.path, ["key"]), "field": part.key, "within": part.path}
}

# Whether something of a rule is asked about on a port: a part of an operation where the operation
# is, any other where the rule is.
reaches(use, port) if {
	some operation in operations
	operation.path == use.within
	operation_reaches(operation.spec, port)
	conditions_reach(use.rule, port)
}

reaches(use, port) if {
	not is_operation(use.within)
	rule_reaches(use.rule, port)
}

is_operation(path) if {
	some operation in operations
	operation.path == path
}

rule_reaches(index, port) if {
	not has_operations(index)
	conditions_reach(index, port)
}

rule_reaches(index, port) if {
	some operation in operations
	operation.rule == index
	operation_reaches(operation.spec, port)
	conditions_reach(index, port)
}

has_operations(index) if {
	some operation in operations
	operation.rule == index
}

operation_reaches(spec, port) if {
	is_among(object.get(spec, "ports", []), port)
	not is_named(object.get(spec, "notPorts", []), port)
}

conditions_reach(index, port) if not is_excluded(index, port)

is_excluded(index, port) if {
	some condition in conditions
	condition.rule == index
	condition.key == "destination.port"
	excludes(condition.spec, port)
}

excludes(spec, port) if not is_among(object.get(spec, "values", []), port)

excludes(spec, port) if is_named(object.get(spec, "notValues", []), port)

# An empty list, or none, is of all ports.
is_among(list, _) if list in {[], null}

is_among(list, port) if is_named(list, port)

is_named(list, port) if sprintf("%d", [port]) in list

# What a DENY or CUSTOM rule still says without its field of HTTP.
what_is_left(use) := sprintf("what is left of the rule %s everybody", [verb]) if is_of_everybody(use.rule)

what_is_left(use) := sprintf("what is left of the rule %s all who meet its other conditions", [verb]) if {
	not is_of_everybody(use.rule)
}

verb := verbs[action]

verbs := {"CUSTOM": "asks about", "DENY": "denies"}

is_of_everybody(index) if {
	not has_condition(index)
	not has_sources(index)
}

# A source without a field of its own is everybody.
is_of_everybody(index) if {
	not has_condition(index)
	some source in sources
	source.rule == index
	count([field | some field in object.keys(source.spec); not field in http_fields]) == 0
}

has_sources(index) if {
	some source in sources
	source.rule == index
}

# One on the port says where, and not whom.
has_condition(index) if {
	some condition in conditions
	condition.rule == index
	condition.key != "destination.port"
	not is_http_key(condition.key)
}
