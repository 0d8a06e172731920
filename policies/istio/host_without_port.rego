# METADATA
# title: Denied host that is open with a port
# description: |
#   Istio compares `hosts` with all of the Host header, the port in it too. A host that is denied, or
#   left out of what is allowed, is open to whoever writes a port behind it. Recorded from a real
#   Envoy: DENY `example.com` did not stop `Host: example.com:8080`. Beside each host belongs
#   the same with `:*`.
# related_resources:
#   - https://istio.io/latest/docs/ops/best-practices/security/#host-matching-in-policies
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.host_without_port

import data.lib.istio

deny contains finding if {
	some value in istio.hosts_without_port
	istio.denies(value)
	finding := {
		"path": value.path,
		"message": sprintf("'%s' does not stand for '%s:80' and other ports: whoever writes one in the Host header passes", [value.text, value.text]),
	}
}
