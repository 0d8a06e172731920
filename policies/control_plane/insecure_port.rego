# METADATA
# title: API server with a port that asks for no credentials
# description: |
#   Requests on the insecure port are neither authenticated nor authorized: whoever reaches it may
#   do everything. Kubernetes 1.24 took the flags away: a server that has them is older.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: critical
#   profile: essential
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0005
#     - checkov:CKV_K8S_86
#     - checkov:CKV_K8S_88
#     - kics:insecure_bind_address_set
#     - kics:insecure_port_not_properly_set
package policies.control_plane.insecure_port

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	some flag in open(server)
	finding := flags.told(server, flag, sprintf("answers on a port that asks for no credentials (--%s)", [flag]))
}

open(server) := [flag |
	some flag in ["insecure-port", "insecure-bind-address"]
	flags.is_set(server, flag)
	flags.value(server, flag, "") != "0"
]
