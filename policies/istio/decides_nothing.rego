# METADATA
# title: Policy that decides nothing
# description: |
#   A policy with the action AUDIT, or one in dry run, never changes an answer, and does not count as
#   the ALLOW policy with which a workload begins to refuse the rest. Recorded from a real Envoy: a
#   workload with an ALLOW in dry run alone was open to everybody, and with a DENY in dry run nobody
#   was denied.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#AuthorizationPolicy-Action
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/
# custom:
#   severity: info
#   profile: strict
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.decides_nothing

import data.lib.istio
import data.lib.text

deny contains finding if {
	istio.action == "AUDIT"
	finding := {
		"path": ["spec", "action"],
		"message": "AUDIT decides nothing: no request is refused because of this policy",
	}
}

deny contains finding if {
	istio.action in {"ALLOW", "DENY"}
	input.object.metadata.annotations["istio.io/dry-run"] in {"1", "t", "T", "true", "TRUE", "True"}
	finding := {
		"path": ["metadata", "annotations", "istio.io/dry-run"],
		"message": sprintf("in dry run this %s decides nothing: no request is refused because of it", [text.joined("", [istio.action])]),
	}
}
