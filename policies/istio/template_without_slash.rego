# METADATA
# title: Path template without a leading slash
# description: |
#   A path template that does not begin with a slash passes the schema and Istio's webhook, and Envoy
#   cannot load the listener that is made of it. Recorded with a real Envoy: given such a listener
#   first it aborted; given it as an update it kept the old one and counted neither a success nor a
#   refusal, so that every later change of that update was not applied and nobody was told.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
# custom:
#   severity: critical
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.template_without_slash

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "paths"
	istio.is_template(value.text)
	not startswith(value.text, "/")
	finding := {
		"path": value.path,
		"message": sprintf("Envoy cannot load the path template '%s', which does not begin with a slash: the proxies keep their old rules, or do not start", [value.text]),
	}
}
