# METADATA
# title: API server does not verify the certificate of etcd
# description: |
#   Whoever stands between can be the store: read every object, and answer with others.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0140
#     - trivy:KCV-0029
#     - checkov:CKV_K8S_102
#     - prowler:apiserver_etcd_cafile_set
package policies.control_plane.store_not_verified

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_set(server, "etcd-cafile")
	finding := flags.told(server, "etcd-cafile", "does not verify the certificate of etcd")
}
