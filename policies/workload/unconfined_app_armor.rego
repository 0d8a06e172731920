# METADATA
# title: Unconfined by AppArmor
# description: |
#   Where a node has AppArmor, the profile of the container runtime keeps containers from the
#   files and mounts of the node. Unconfined takes it away. It is said in a field since 1.30, in an
#   annotation before; where both say so it is one fault.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tutorials/security/apparmor/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/app-armor, pss-restricted/app-armor]
#   equivalents:
#     - trivy:KSV-0002
#     - kubeaudit:AppArmorDisabled
#     - kyverno:restrict-apparmor-profiles
#     - gatekeeper:apparmor
#     - kubesec:ApparmorUnconfined
package policies.workload.unconfined_app_armor

import data.lib.profiles
import data.lib.workload

prefix := "container.apparmor.security.beta.kubernetes.io/"

title := "take the profile of the container runtime"

deny contains finding if {
	some profile in profiles.unconfined("appArmorProfile")
	finding := {
		"path": profile.place,
		"anchor": profile.context.anchor,
		"message": sprintf("%s has an AppArmor profile %s, which confines nothing", [
			profile.context.who, profile.type,
		]),
		"fix": {
			"title": title,
			"safety": "unsafe",
			"patch": array.concat([profiles.by_default(profile.path)], annotated_too(profile)),
		},
	}
}

deny contains finding if {
	some key in unconfining
	not key in repeating
	finding := {
		"path": array.concat(workload.annotations_path, [key]),
		"anchor": key,
		"message": sprintf("the annotation '%s' sets the AppArmor profile '%s', which confines nothing", [
			key, workload.annotations[key],
		]),
		"fix": {"title": title, "safety": "unsafe", "patch": [profiles.annotated_by_default(key)]},
	}
}

unconfining contains key if {
	some key, profile in workload.annotations
	startswith(key, prefix)
	is_string(profile)
	not profile in {"", "runtime/default"}
	not startswith(profile, "localhost/")
}

# The API server refuses an annotation that contradicts the field: both change together.
annotated_too(profile) := [profiles.annotated_by_default(key) |
	some key in unconfining
	says_the_same(key, profile.context)
]

repeating contains key if {
	some key in unconfining
	some profile in profiles.unconfined("appArmorProfile")
	says_the_same(key, profile.context)
}

says_the_same(key, context) if {
	some container in workload.containers
	key == concat("", [prefix, workload.name(container)])
	speaks_for(context, container)
}

speaks_for(context, container) if context.path == array.concat(container.path, ["securityContext"])

speaks_for(context, container) if {
	context.path == array.concat(workload.pod_path, ["securityContext"])
	not has_own_profile(container)
}

has_own_profile(container) if is_object(container.spec.securityContext.appArmorProfile)
