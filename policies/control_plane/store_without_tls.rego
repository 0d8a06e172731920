# METADATA
# title: etcd serves without TLS
# description: |
#   All objects of the cluster, Secrets among them, then go in plain text. What a file of
#   configuration says is not seen, and not judged.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0153
#     - trivy:KCV-0042
#     - checkov:CKV_K8S_116
#     - kics:etcd_client_certificate_file_not_defined
#     - prowler:etcd_tls_encryption
package policies.control_plane.store_without_tls

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	some flag in ["cert-file", "key-file"]
	not flags.is_set(store, flag)
	not flags.is_set(store, "config-file")
	finding := flags.told(store, flag, sprintf("serves without TLS: --%s is not set", [flag]))
}
