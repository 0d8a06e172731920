# METADATA
# title: May run as root
# description: |
#   Where the manifest gives no user and nothing says runAsNonRoot: true, the image decides who its
#   processes are, and most images say root. Root in a container is root for every hole in the kernel,
#   the runtime or a mount. What user an image can run as, its builder knows: there is no fix by rule.
#   Since 1.35 a pod with users of its own (hostUsers: false) is exempt.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   controls: [pss-restricted/run-as-non-root, cis-2.0.1/5.2.7, cis-2.0.1/5.6.3]
#   equivalents:
#     - kubescape:C-0013
#     - kubescape:C-0198
#     - trivy:KSV-0012
#     - checkov:CKV_K8S_23
#     - checkov:CKV_K8S_6
#     - kube-linter:run-as-non-root
#     - polaris:runAsRootAllowed
#     - popeye:POP-302
#     - popeye:POP-306
#     - kubeaudit:RunAsNonRootPSCNilCSCNil
#     - kubeaudit:RunAsNonRootCSCFalse
#     - kubeaudit:RunAsNonRootPSCFalseCSCNil
#     - kics:containers_running_as_root
#     - kics:root_containers_admitted
#     - kyverno:require-run-as-nonroot
#     - gatekeeper:users
#     - kubesec:RunAsNonRoot
#     - prowler:core_minimize_root_containers_admission
#     - trivy:KSV-0118
#     - checkov:CKV_K8S_29
#     - checkov:CKV_K8S_30
#     - kics:pod_or_container_without_security_context
package policies.workload.may_run_as_root

import data.lib.users

deny contains finding if {
	some fault in users.faults
	open_to_root(fault)
	finding := {
		"path": fault.path,
		"anchor": fault.anchor,
		"message": sprintf("%s may run as root: %s", [fault.who, fault.why]),
	}
}

# A container that has a user other than root, or is told to be root, is a matter of other policies.
open_to_root(fault) if {
	some container in fault.containers
	not users.is_other(container)
	not users.is_told(container)
}
