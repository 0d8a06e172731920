# METADATA
# title: No AppArmor profile
# description: |
#   Where a node has AppArmor, its container runtime gives every container a profile of its own, unless
#   it is privileged. To name RuntimeDefault makes sure of that: the pod is then refused by a node that
#   has no AppArmor. Asked since 1.30, where the profile is a field.
# related_resources:
#   - https://kubernetes.io/docs/tutorials/security/apparmor/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Container runtimes apply their profile without being asked, and a pod that names it does not start
#     on nodes without AppArmor, such as those of Red Hat's distributions.
#   fix: deterministic
#   equivalents:
#     - kubeaudit:AppArmorAnnotationMissing
#     - kics:missing_app_armor_config
#     - kubesec:ApparmorAny
#     - kubescape:C-0055
#     - polaris:linuxHardening
package policies.workload.app_armor_not_set

import data.lib.profiles
import data.lib.workload

annotation := "container.apparmor.security.beta.kubernetes.io/"

deny contains finding if {
	input.kubernetes >= 130
	not workload.windows
	not pod_has_profile
	some container in workload.containers
	not workload.privileged(container)
	not has_profile(container)
	finding := {
		"path": workload.place(container),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' has no AppArmor profile", [workload.name(container)]),
		"fix": {
			"title": "take the profile of the container runtime",
			"safety": "unsafe",
			"patch": [profiles.by_default(array.concat(container.path, ["securityContext", "appArmorProfile"]))],
		},
	}
}

pod_has_profile if is_object(workload.pod.securityContext.appArmorProfile)

has_profile(container) if is_object(container.spec.securityContext.appArmorProfile)

has_profile(container) if is_string(workload.annotations[concat("", [annotation, workload.name(container)])])
