# METADATA
# title: Members of etcd make their own certificates
# description: |
#   Certificates that nobody signed can be made by anybody: a member cannot tell another one from
#   whoever stands between.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0158
#     - trivy:KCV-0047
#     - kics:peer_auto_tls_set_to_true
#     - prowler:etcd_no_peer_auto_tls
package policies.control_plane.peers_sign_themselves

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	flags.is_on(store, "peer-auto-tls", "false")
	finding := object.union(flags.told(store, "peer-auto-tls", "makes the certificate for its peers itself"), {"fix": flags.setting_to(store, "peer-auto-tls", "false")})
}
