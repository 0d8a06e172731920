# METADATA
# title: Personal data open to others than its clients
# description: |
#   By default every pod accepts traffic from every other pod. A workload that holds personal data
#   (PII) or sensitive personal data (SPI) is to be reached by its declared clients alone; anybody
#   else who reaches it is one stolen pod away from the data.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: high
#   profile: essential
#   waivable: central
#   fix: generated
#   facts: [exposure]
package policies.data.personal_data_not_isolated

import data.lib.text

exposure := input.facts.exposure

deny contains finding if {
	count(exposure.others) > 0
	worst := exposure.others[0]
	finding := {
		"path": place,
		"message": sprintf("holds %s, and %s, %s; the worst is %s", [
			text.joined(" and ", exposure.data), who_reaches_it, isolation, described(worst),
		]),
		"evidence": array.concat(
			[reached | some other in exposure.others; reached := evidence_of(other)],
			[seen | some candidate in exposure.candidates; seen := evidence_for(candidate)],
		),
		"fix": {
			"title": "admit its clients alone",
			"safety": safety,
			"synthesize": "isolate",
		},
	}
}

place := exposure.declared.path if exposure.own

place := ["metadata", "name"] if not exposure.own

isolation := "since no NetworkPolicy isolates it" if not exposure.isolated

isolation := "past the NetworkPolicies that isolate it" if exposure.isolated

# The owner of the data says who its clients are. Where nobody does, nobody may be let in: who names
# the data in its own configuration would let itself in. Whoever comes from the internet is cut off,
# and somebody once opened that way.
safety := "safe" if {
	count(exposure.clients) > 0
	not doubtful
}

safety := "unsafe" if {
	count(exposure.clients) > 0
	doubtful
}

safety := "manual" if count(exposure.clients) == 0

doubtful if count(exposure.missing_clients) > 0

doubtful if internet

internet if {
	some other in exposure.others
	other.internet
}

workloads := [other | some other in exposure.others; other.object != null]

beside_its_clients := sprintf("%d workloads beside its clients", [count(workloads)]) if count(workloads) > 1

beside_its_clients := "one workload beside its clients" if count(workloads) == 1

who_reaches_it := sprintf("the internet and %s reach it", [beside_its_clients]) if internet

who_reaches_it := sprintf("%s reach it", [beside_its_clients]) if {
	count(workloads) > 1
	not internet
}

who_reaches_it := sprintf("%s reaches it", [beside_its_clients]) if {
	count(workloads) == 1
	not internet
}

who_reaches_it := "the internet reaches it" if {
	count(workloads) == 0
	internet
}

# Nobody yet: but any pod that somebody starts tomorrow.
who_reaches_it := "pods beside its clients could reach it" if {
	count(workloads) == 0
	not internet
}

described(other) := sprintf("%s (%s)", [other.name, other.why]) if other.why != ""

described(other) := other.name if other.why == ""

# The first reason tells which rule lets it in, or that there is none to keep it out.
evidence_of(other) := {
	"message": sprintf("%s reaches %s: %s", [described(other), other.ports, other.reasons[0].message]),
	"anchor": other.name,
	"within": groups_of(other),
	"object": other.reasons[0].object,
	"path": other.reasons[0].path,
}

# To name the data gives no right to it: the owner is asked.
evidence_for(candidate) := {
	"message": sprintf("looks like a client: %s %s; if it is one, declare it with auditor/clients: %s", [
		candidate.name, candidate.how, candidate.name,
	]),
	"object": candidate.object,
	"path": candidate.path,
}

# Where all of those are let in already, one more of them makes nothing worse.
groups_of(other) := [sprintf("any pod of namespace %s", [other.object.namespace]), everybody]

groups_of(other) := [everybody] if {
	other.object == null
	not other.internet
}

groups_of(other) := [] if other.internet

everybody := "any pod of a new namespace"
