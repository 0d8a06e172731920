# METADATA
# title: API server talks to kubelets without TLS
# description: |
#   What is sent to kubelets, commands that run in containers among it, is open to whoever sits
#   between. Kubernetes 1.20 took the flag away: a server that has it is older.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - trivy:KCV-0004
#     - checkov:CKV_K8S_71
#     - kics:kubelet_https_set_to_false
package policies.control_plane.plain_kubelets

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.is_off(server, "kubelet-https", "true")
	finding := object.union(flags.told(server, "kubelet-https", "talks to kubelets without TLS"), {"fix": flags.setting_to(server, "kubelet-https", "true")})
}
