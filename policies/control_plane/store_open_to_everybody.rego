# METADATA
# title: etcd asks clients for no certificate
# description: |
#   Whoever reaches the port of the store reads all Secrets and changes every object, past the API
#   server and its rules.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: critical
#   profile: essential
#   fix: deterministic
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0154
#     - trivy:KCV-0043
#     - checkov:CKV_K8S_117
#     - kics:etcd_client_certificate_authentication_set_to_false
#     - prowler:etcd_client_cert_auth
package policies.control_plane.store_open_to_everybody

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	not flags.is_on(store, "client-cert-auth", "false")
	not flags.is_set(store, "config-file")
	finding := object.union(flags.told(store, "client-cert-auth", "asks its clients for no certificate"), {"fix": flags.setting_to(store, "client-cert-auth", "true")})
}
