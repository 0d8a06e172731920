# METADATA
# title: API server answers requests without credentials
# description: |
#   Requests without credentials are let in as `system:anonymous`, and what any binding gives to
#   that user, or a fault before authorization, is open to whoever reaches the port. Probes of the
#   server itself by kubeadm need them: there, since 1.34, a file of authentication can allow them
#   for the paths of health alone; where one is named, this is not told.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - kubescape:C-0113
#     - trivy:KCV-0001
#     - checkov:CKV_K8S_68
#     - kics:anonymous_auth_is_not_set_to_false
#     - prowler:apiserver_anonymous_requests
package policies.control_plane.anonymous_requests

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	flags.is_on(server, "anonymous-auth", "true")
	not flags.is_set(server, "authentication-config")
	finding := object.union(flags.told(server, "anonymous-auth", "answers requests without credentials"), {"fix": flags.setting_to(server, "anonymous-auth", "false")})
}
