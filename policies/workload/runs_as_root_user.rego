# METADATA
# title: Runs as root
# description: |
#   The manifest itself asks for user 0. Root in a container is root for every hole in the kernel,
#   the runtime or a mount. What user its image can run as instead, its builder knows: there is no fix
#   by rule. The standards ask since 1.23; since 1.35 a pod with users of its own (hostUsers: false) is
#   exempt.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   controls: [pss-restricted/run-as-user, cis-2.0.1/5.2.7]
#   equivalents:
#     - trivy:KSV-0105
#     - kubeaudit:RunAsUserCSCRoot
#     - kubeaudit:RunAsUserPSCRoot
#     - kyverno:require-run-as-non-root-user
#     - kubesec:RunAsUser
#     - kubescape:C-0013
#     - kube-linter:run-as-non-root
#     - gatekeeper:users
package policies.workload.runs_as_root_user

import data.lib.workload

deny contains finding if {
	input.kubernetes >= 123
	not workload.protected_by_own_users
	some context in workload.contexts
	context.spec.runAsUser == 0
	finding := {
		"path": array.concat(context.path, ["runAsUser"]),
		"anchor": context.anchor,
		"message": sprintf("%s runs as root: runAsUser is 0", [context.who]),
	}
}
