# METADATA
# title: API server shows etcd no certificate
# description: |
#   The store of the cluster then has to serve whoever reaches it: all Secrets, and every object to
#   change.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0137
#     - trivy:KCV-0026
#     - checkov:CKV_K8S_99
#     - kics:etcd_tls_certificate_files_not_properly_set
#     - prowler:apiserver_etcd_tls_config
package policies.control_plane.no_certificate_for_store

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	some flag in ["etcd-certfile", "etcd-keyfile"]
	not flags.is_set(server, flag)
	finding := flags.told(server, flag, sprintf("shows etcd no certificate: --%s is not set", [flag]))
}
