# METADATA
# title: May gain privileges
# description: |
#   Unless allowPrivilegeEscalation is false, a process may become more than it was, by a setuid
#   program such as su or sudo in the image. Few applications need it, and without it a container that
#   does not run as root stays so. Of a privileged container, or one with SYS_ADMIN, it is not told
#   again: there it cannot be switched off.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-restricted/privilege-escalation, cis-2.0.1/5.2.6, cis-2.0.1/5.6.3]
#   equivalents:
#     - kubescape:C-0016
#     - kubescape:C-0197
#     - trivy:KSV-0001
#     - checkov:CKV_K8S_20
#     - checkov:CKV_K8S_5
#     - kube-linter:privilege-escalation-container
#     - polaris:privilegeEscalationAllowed
#     - kubeaudit:AllowPrivilegeEscalationNil
#     - kubeaudit:AllowPrivilegeEscalationTrue
#     - kics:privilege_escalation_allowed
#     - kyverno:disallow-privilege-escalation
#     - gatekeeper:allow-privilege-escalation
#     - kubesec:AllowPrivilegeEscalation
#     - prowler:core_minimize_allowPrivilegeEscalation_containers
#     - trivy:KSV-0118
#     - checkov:CKV_K8S_29
#     - checkov:CKV_K8S_30
#     - kics:pod_or_container_without_security_context
package policies.workload.privilege_escalation

import data.lib.capabilities
import data.lib.workload

deny contains finding if {
	input.kubernetes >= 108
	not workload.exempt_windows
	some container in workload.containers
	not container.spec.securityContext.allowPrivilegeEscalation == false
	not workload.privileged(container)
	not capabilities.administers(container)
	finding := object.union(
		{
			"path": place(container),
			"anchor": workload.name(container),
			"message": sprintf("container '%s' may gain privileges: allowPrivilegeEscalation is %s", [
				workload.name(container), said(container),
			]),
		},
		workload.unless_windows({
			"title": "let no process gain privileges",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": switch(container), "value": false}],
		}),
	)
}

switch(container) := array.concat(container.path, ["securityContext", "allowPrivilegeEscalation"])

place(container) := switch(container) if is_on(container)

place(container) := workload.place(container) if not is_on(container)

said(container) := "true" if is_on(container)

said(container) := "not false" if not is_on(container)

is_on(container) if container.spec.securityContext.allowPrivilegeEscalation == true
