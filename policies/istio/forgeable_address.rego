# METADATA
# title: Rule on an address that callers choose
# description: |
#   On a sidecar, `remoteIpBlocks` and `remote.ip` are the last address in the header X-Forwarded-For,
#   if there is one: whoever calls the workload directly writes there what the rule wants. Recorded
#   from a real Envoy: an ALLOW of `remoteIpBlocks` admitted a stranger that sent the header.
#   `ipBlocks` is the peer of the connection. On a gateway that knows how many proxies
#   stand before it, `remoteIpBlocks` is the right field: a policy of one is no finding.
# related_resources:
#   - https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-ingress/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.forgeable_address

import data.lib.istio

deny contains finding if {
	istio.action in {"ALLOW", "DENY"}
	not istio.is_for_gateways
	some value in istio.values
	value.positive == "remoteIpBlocks"
	finding := {
		"path": array.slice(value.path, 0, count(value.path) - 1),
		"message": sprintf("'%s' reads X-Forwarded-For, in which a direct caller writes any address", [value.field]),
	}
}
