# METADATA
# title: GET without HEAD
# description: |
#   To Istio, HEAD is another method than GET. Probes and load balancers that ask with HEAD are
#   refused by an ALLOW for GET, and a DENY of GET lets HEAD tell the headers of what it protects.
#   Recorded from a real Envoy: ALLOW GET refused HEAD for the same path.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
# custom:
#   severity: info
#   profile: strict
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.get_without_head

import data.lib.istio

deny contains finding if {
	istio.action in {"ALLOW", "DENY"}
	stays := effects[istio.action]
	some value in istio.values
	value.positive == "methods"
	value.text == "GET"
	not has_head(value)
	finding := {
		"path": value.path,
		"message": sprintf("GET does not stand for HEAD, which stays %s", [stays[value.negative]]),
	}
}

effects := {
	"ALLOW": {false: "refused", true: "admitted"},
	"DENY": {false: "open", true: "denied"},
}

has_head(value) if {
	some other in istio.values
	other.within == value.within
	other.field == value.field
	other.text in {"HEAD", "H*", "HE*", "HEA*", "*HEAD", "*AD", "*D", "*EAD", "HEAD*", "*"}
}
