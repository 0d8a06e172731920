# METADATA
# title: etcd asks peers for no certificate
# description: |
#   Whoever reaches the port of peers can join, and is then sent every object of the cluster.
# related_resources:
#   - https://etcd.io/docs/v3.6/op-guide/security/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   mentions: [etcd]
#   equivalents:
#     - kubescape:C-0157
#     - trivy:KCV-0046
#     - checkov:CKV_K8S_121
#     - kics:etcd_peer_client_certificate_authentication_set_to_false
#     - prowler:etcd_peer_client_cert_auth
package policies.control_plane.peers_not_verified

import data.lib.flags

deny contains finding if {
	some store in flags.running("etcd")
	not flags.is_on(store, "peer-client-cert-auth", "false")
	not flags.is_set(store, "config-file")
	finding := object.union(flags.told(store, "peer-client-cert-auth", "asks its peers for no certificate"), {"fix": flags.setting_to(store, "peer-client-cert-auth", "true")})
}
