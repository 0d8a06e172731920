# METADATA
# title: API server without its secure port
# description: |
#   A server that does not serve TLS can only be reached without it.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0128
#     - trivy:KCV-0017
#     - checkov:CKV_K8S_89
#     - kics:secure_port_set_to_zero
package policies.control_plane.secure_port_off

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.value(server, "secure-port", "6443") == "0"
	finding := object.union(flags.told(server, "secure-port", "serves no TLS"), {"fix": flags.setting_to(server, "secure-port", "6443")})
}
