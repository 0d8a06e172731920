# METADATA
# title: No seccomp profile
# description: |
#   Without a seccomp profile a container may use every system call, unless its kubelet is set to
#   give a default one, which its manifest cannot know. Strict alone asks for it, since the profile of
#   the runtime has to be tried. The seccomp of a privileged container is off in any case.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tutorials/security/seccomp/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [pss-restricted/seccomp, cis-2.0.1/5.6.2]
#   equivalents:
#     - kubescape:C-0211
#     - kubescape:C-0055
#     - trivy:KSV-0030
#     - checkov:CKV_K8S_31
#     - checkov:CKV_K8S_32
#     - kube-score:container-seccomp-profile
#     - kubeaudit:SeccompProfileMissing
#     - kics:seccomp_profile_is_not_configured
#     - kyverno:restrict-seccomp-strict
#     - gatekeeper:seccomp
#     - gatekeeper:seccompv2
#     - kubesec:SeccompAny
#     - polaris:linuxHardening
#     - prowler:core_seccomp_profile_docker_default
#   near: [kubescape:C-0210]
package policies.workload.seccomp_not_set

import data.lib.profiles
import data.lib.workload

deny contains finding if {
	input.kubernetes >= 119
	not workload.exempt_windows
	not pod_has_profile
	some container in workload.containers
	not workload.privileged(container)
	not has_profile(container)
	finding := object.union(
		{
			"path": workload.place(container),
			"anchor": workload.name(container),
			"message": sprintf("container '%s' has no seccomp profile", [workload.name(container)]),
		},
		workload.unless_windows({
			"title": "take the profile of the container runtime",
			"safety": "unsafe",
			"patch": profiles.seccomp_by_default(
				array.concat(workload.pod_path, ["securityContext", "seccompProfile"]),
				"",
			),
		}),
	)
}

pod_has_profile if is_object(workload.pod.securityContext.seccompProfile)

has_profile(container) if is_object(container.spec.securityContext.seccompProfile)
