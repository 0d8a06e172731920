# METADATA
# title: Rights to lead traffic elsewhere
# description: |
#   Whoever writes the endpoints of a Service, or its status, leads what is meant for it to an address
#   of their choice, of another namespace too (CVE-2021-25740). Controllers of the cluster write them;
#   the default roles give it to nobody since 1.22.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#write-access-for-endpoints
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: deterministic
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - checkov:CKV2_K8S_4
#     - gatekeeper:block-endpoint-edit-default-role
#     - kyverno:restrict-edit-for-endpoints
package policies.access.redirects_traffic

import data.lib.rights
import data.lib.written

does := {
	"edits-endpoints": "write the endpoints of Services",
	"edits-service-status": "write the status of Services",
}

leading := {"endpoints", "endpointslices", "services/status"}

writing := {"*", "create", "patch", "update"}

reading := ["get", "list", "watch"]

deny contains finding if {
	some name, words in does
	rights.would_give(name)
	finding := object.union(
		object.union(rights.finding(name, words), {"severity": "low", "anchor": name}),
		unless_general,
	)
}

# What a rule for everything gives is not taken out of it here, nor what comes by aggregation. All of
# it goes at once: two findings may be about one rule.
unless_general := {"fix": {
	"title": "take away that it writes them",
	"safety": "unsafe",
	"patch": array.concat(narrowings, readings),
}} if not is_general

unless_general := {} if is_general

rules := written.list(input.object, "rules")

is_general if rights.told.aggregated

is_general if {
	some rule in rules
	some field in ["apiGroups", "resources"]
	some word in written.list(rule, field)
	word in {"*", "*/status"}
}

narrowings := [step |
	some index in numbers.range(0, count(rules) - 1)
	rule := rules[index]
	writes(rule)
	step := narrowed(index, rule)
]

# What it may do to them besides, in a rule of its own.
readings := [step |
	some rule in rules
	writes(rule)
	count(others(rule)) > 0
	count(harmless(rule)) > 0
	them := [resource | some resource in written.list(rule, "resources"); resource in leading]
	value := {"apiGroups": written.list(rule, "apiGroups"), "resources": them, "verbs": harmless(rule)}
	step := {"op": "add", "path": ["rules", "-"], "value": value}
]

writes(rule) if {
	count([group | some group in written.list(rule, "apiGroups"); group in {"", "discovery.k8s.io"}]) > 0
	count([resource | some resource in written.list(rule, "resources"); resource in leading]) > 0
	count([verb | some verb in verbs(rule); verb in writing]) > 0
	not is_named(rule)
}

is_named(rule) if {
	is_array(rule.resourceNames)
	count(rule.resourceNames) > 0
}

# The rule without them, or without writing where it is for nothing else.
narrowed(index, rule) := {"op": "replace", "path": ["rules", index, "resources"], "value": others(rule)} if {
	count(others(rule)) > 0
}

narrowed(index, rule) := {"op": "replace", "path": ["rules", index, "verbs"], "value": harmless(rule)} if {
	count(others(rule)) == 0
	count(harmless(rule)) > 0
}

narrowed(index, rule) := {"op": "remove", "path": ["rules", index]} if {
	count(others(rule)) == 0
	count(harmless(rule)) == 0
}

others(rule) := [resource | some resource in written.list(rule, "resources"); not resource in leading]

harmless(rule) := reading if "*" in verbs(rule)

harmless(rule) := [verb | some verb in verbs(rule); not verb in writing] if not "*" in verbs(rule)

verbs(rule) := written.list(rule, "verbs")
