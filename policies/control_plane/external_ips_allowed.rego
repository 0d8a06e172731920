# METADATA
# title: API server allows Services with external addresses
# description: |
#   Whoever may make Services can claim any address, and gets what pods send there (CVE-2020-8554).
#   The plugin DenyServiceExternalIPs refuses them.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     a policy of admission can refuse them as well, for all but whoever needs them; those that
#     there are, network/external_ips finds
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0283
#     - trivy:KCV-0003
#     - prowler:apiserver_deny_service_external_ips
package policies.control_plane.external_ips_allowed

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not "DenyServiceExternalIPs" in flags.items(server, "enable-admission-plugins")
	finding := object.union(flags.told(server, "enable-admission-plugins", "allows Services with external addresses: plugin DenyServiceExternalIPs is not on"), {"fix": flags.with_item(server, "enable-admission-plugins", "DenyServiceExternalIPs")})
}
