# METADATA
# title: API server gives a request long to end
# description: |
#   Requests that take long hold connections and memory: enough of them, and nobody else is
#   answered. The server gives a minute unless it is told otherwise.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0134
#     - checkov:CKV_K8S_95
#     - kics:request_timeout_not_properly_set
#     - prowler:apiserver_request_timeout_set
package policies.control_plane.request_timeout

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not is_bare(server)
	seconds(server) > 60
	finding := object.union(flags.told(server, "request-timeout", "gives a request more than a minute to end"), {"fix": flags.setting_to(server, "request-timeout", "1m0s")})
}

# A number alone is no duration: it takes a unit, unless it is 0.
deny contains finding if {
	some server in flags.running("kube-apiserver")
	is_bare(server)
	finding := object.union(flags.told(server, "request-timeout", "is given a number without a unit as time of a request, and does not start"), {"fix": flags.setting_to(server, "request-timeout", "1m0s")})
}

is_bare(server) if regex.match(`^[0-9]*[1-9][0-9]*$`, flags.value(server, "request-timeout", "60s"))

seconds(server) := time.parse_duration_ns(flags.value(server, "request-timeout", "60s")) / 1000000000
