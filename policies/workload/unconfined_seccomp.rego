# METADATA
# title: Unconfined by seccomp
# description: |
#   A seccomp profile keeps a process from the system calls that it does not need, which is where
#   holes in the kernel are. Unconfined opens all of them. Before 1.19 the profile is an annotation.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tutorials/security/seccomp/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/seccomp, pss-restricted/seccomp, cis-2.0.1/5.6.2]
#   equivalents:
#     - kubescape:C-0211
#     - trivy:KSV-0104
#     - checkov:CKV_K8S_31
#     - checkov:CKV_K8S_32
#     - kube-score:container-seccomp-profile
#     - kubeaudit:SeccompDisabledPod
#     - kubeaudit:SeccompDisabledContainer
#     - kyverno:restrict-seccomp
#     - gatekeeper:seccomp
#     - gatekeeper:seccompv2
#     - kubesec:SeccompUnconfined
#     - prowler:core_seccomp_profile_docker_default
#   near: [kubescape:C-0210]
package policies.workload.unconfined_seccomp

import data.lib.profiles
import data.lib.workload

deny contains finding if {
	input.kubernetes >= 119
	some profile in profiles.unconfined("seccompProfile")
	finding := {
		"path": profile.place,
		"anchor": profile.context.anchor,
		"message": sprintf("%s has a seccomp profile %s, which confines nothing", [
			profile.context.who, profile.type,
		]),
		"fix": {
			"title": "take the profile of the container runtime",
			"safety": "unsafe",
			"patch": profiles.seccomp_by_default(profile.path, profile.context.anchor),
		},
	}
}

deny contains finding if {
	input.kubernetes < 119
	some key, profile in workload.annotations
	is_heard(key)
	is_string(profile)
	not confines(profile)
	finding := {
		"path": array.concat(workload.annotations_path, [key]),
		"anchor": key,
		"message": sprintf("the annotation '%s' sets the seccomp profile '%s', which confines nothing", [
			key, profile,
		]),
		"fix": {
			"title": "take the profile of the container runtime",
			"safety": "unsafe",
			"patch": [profiles.annotated_by_default(key)],
		},
	}
}

# What is said of containers that are not there is not heard.
is_heard(key) if profiles.is_about(key, "")

is_heard(key) if {
	some container in workload.containers
	profiles.is_about(key, workload.name(container))
}

confines(profile) if profile in {"runtime/default", "docker/default"}

confines(profile) if startswith(profile, "localhost/")
