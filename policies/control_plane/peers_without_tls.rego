# METADATA
# title: Members of etcd talk without TLS
# description: |
#   What one member tells the others, every object of the cluster, then goes in plain text.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0156
#     - trivy:KCV-0045
#     - checkov:CKV_K8S_119
#     - kics:etcd_peer_tls_certificate_files_not_properly_set
#     - prowler:etcd_peer_tls_config
package policies.control_plane.peers_without_tls

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	some flag in ["peer-cert-file", "peer-key-file"]
	not flags.is_set(store, flag)
	not flags.is_set(store, "config-file")
	finding := flags.told(store, flag, sprintf("talks to its peers without TLS: --%s is not set", [flag]))
}
