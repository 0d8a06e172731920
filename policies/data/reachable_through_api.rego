# METADATA
# title: Personal data within reach through the API server
# description: |
#   A binding lets somebody run commands in pods with personal data, speak to their ports through the API
#   server, read their Secrets, open their NetworkPolicies, or start pods beside them: no NetworkPolicy
#   stops that, and none of it is what a declared client does. Of high severity is control of the pods,
#   of medium what leads to the data alone. `auditor paths` shows who holds these rights and what is the
#   least to take away.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: high
#   profile: strict
#   waivable: central
#   fix: manual
#   facts: [api_access]
package policies.data.reachable_through_api

import data.lib.personal
import data.lib.text

deny contains finding if {
	access := input.facts.api_access
	some binding in access.bindings
	finding := {
		"path": personal.place(access),
		"anchor": anchor(binding),
		"severity": grade[binding.controls],
		"message": sprintf("holds %s, and %s through the API server: %s", [
			personal.said(access),
			reached(binding),
			binding.how,
		]),
		"evidence": [{
			"message": binding.how,
			"object": binding.object,
			"path": binding.path,
		}],
	}
}

grade := {true: "high", false: "medium"}

reached(binding) := sprintf("%s controls it", [text.joined(", ", binding.subjects)]) if binding.controls

reached(binding) := sprintf("%s gets at that", [text.joined(", ", binding.subjects)]) if not binding.controls

anchor(binding) := text.joined("/", [binding.object.kind, binding.object.namespace, binding.object.name])
