# METADATA
# title: StatefulSet without its Service
# description: |
#   The pods of a StatefulSet get names in DNS from the headless Service that it names. Where that is
#   missing, or has an address of its own, peers do not find each other.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [StatefulSet]
#   facts: [governing]
#   admission: grace
#   equivalents: [kube-score:statefulset-has-servicename, kics:statefulset_without_service_name]
package policies.health.stateful_set_without_service

governing := input.facts.governing

deny contains finding if {
	governing.name != ""
	not governing.is_there
	finding := {
		"path": ["spec", "serviceName"],
		"message": sprintf("names Service '%s', which is not there: its pods have no names in DNS", [governing.name]),
	}
}

deny contains finding if {
	not governing.headless
	finding := {
		"path": ["spec", "serviceName"],
		"message": sprintf("names Service '%s', which is not headless: its pods have no names in DNS", [governing.name]),
		"severity": "low",
	}
}

# Until 1.32 the API server refused it without; where pods need no names it does no harm.
deny contains finding if {
	governing.name == ""
	input.object.spec.replicas > 1
	finding := {
		"path": ["spec"],
		"message": "names no Service: its pods have no names in DNS",
		"severity": "low",
	}
}
