# METADATA
# title: API server without a list of ciphers
# description: |
#   Benchmarks want the ciphers written that are offered.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     what Go offers by itself is strong and reviewed with every release; a list ages, and
#     control_plane/weak_ciphers finds what is weak in one
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0143
#     - kubescape:C-0277
#     - trivy:KCV-0031
#     - prowler:apiserver_strong_ciphers_only
package policies.control_plane.ciphers_not_listed

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "tls-cipher-suites")
	finding := flags.told(server, "tls-cipher-suites", "has no list of the ciphers that it offers")
}
