# METADATA
# title: etcd makes its own certificates
# description: |
#   Certificates that nobody signed can be made by anybody: clients cannot tell the store from
#   whoever stands between.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0155
#     - trivy:KCV-0044
#     - checkov:CKV_K8S_118
#     - kics:auto_tls_set_to_true
#     - prowler:etcd_no_auto_tls
package policies.control_plane.store_signs_itself

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	flags.is_on(store, "auto-tls", "false")
	finding := object.union(flags.told(store, "auto-tls", "makes the certificate that it serves itself"), {"fix": flags.setting_to(store, "auto-tls", "false")})
}
