# METADATA
# title: ALLOW unless the request says something
# description: |
#   A negative condition on a header, a claim or a request principal holds where there is none: an
#   ALLOW by `notValues` or `notRequestPrincipals` alone admits every request without the header or the
#   token. Recorded from a real Envoy: `notValues` of a header that was not sent was true.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/conditions/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.negative_request

import data.lib.istio

deny contains finding if {
	istio.action == "ALLOW"
	some condition in istio.conditions
	istio.is_http_key(condition.key)
	not startswith(condition.key, "request.headers[:")
	istio.is_filled(condition.spec.notValues)
	not is_asked_for(condition)
	finding := {
		"path": array.concat(condition.path, ["notValues"]),
		"message": sprintf("a request without '%s' meets this condition too", [condition.key]),
	}
}

deny contains finding if {
	istio.action == "ALLOW"
	some source in istio.sources
	istio.is_filled(source.spec.notRequestPrincipals)
	not has_request_principals(source.spec)
	finding := {
		"path": array.concat(source.path, ["notRequestPrincipals"]),
		"message": "a request without a token meets this condition too",
	}
}

has_request_principals(spec) if istio.is_filled(spec.requestPrincipals)

# All conditions of a rule have to hold.
is_asked_for(condition) if {
	some other in istio.conditions
	other.rule == condition.rule
	other.key == condition.key
	istio.is_filled(other.spec.values)
}
