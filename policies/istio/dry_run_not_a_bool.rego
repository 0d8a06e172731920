# METADATA
# title: Dry run that is none
# description: |
#   The annotation `istio.io/dry-run` is read as Go reads truth values. Anything else is refused by
#   Istio's webhook, and where that did not ask the policy is enforced. Recorded from Istio's own code
#   and a real Envoy: a DENY with `dry-run: "yes"` denied.
# related_resources:
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.dry_run_not_a_bool

import data.lib.istio

deny contains finding if {
	istio.is_authorization
	value := input.object.metadata.annotations["istio.io/dry-run"]
	is_string(value)
	not value in {"1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"}
	finding := {
		"path": ["metadata", "annotations", "istio.io/dry-run"],
		"message": sprintf("'%s' is no truth value to Istio: the policy is refused, or enforced all the same", [value]),
	}
}
