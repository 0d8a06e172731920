# METADATA
# title: API server makes the tokens of pods last a year
# description: |
#   So that old clients work, tokens of pods are good for a year and not for the hour that they ask
#   for: one that leaks stays good. Clients of the last years read theirs again in time.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0290
package policies.control_plane.long_tokens

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	not flags.is_off(server, "service-account-extend-token-expiration", "true")
	finding := object.union(flags.told(server, "service-account-extend-token-expiration", "makes the tokens of pods last a year"), {"fix": flags.setting_to(server, "service-account-extend-token-expiration", "false")})
}
