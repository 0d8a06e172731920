# What AppArmor and seccomp have in common: profiles by type in the fields of today, and by name in
# the annotations of the past.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.profiles

confining := {"RuntimeDefault", "Localhost"}

# Every profile in this field of a security context that does not confine.
unconfined(field) := [found |
	some context in data.lib.workload.contexts

	# Not context.spec[field]: inside of a comprehension regopy takes any field for it.
	profile := object.get(context.spec, field, null)
	is_object(profile)
	not confines(profile)
	found := {
		"context": context,
		"path": array.concat(context.path, [field]),
		"place": array.concat(context.path, path_of(field, profile)),
		"type": type_of(profile),
	}
]

confines(profile) if profile.type in confining

path_of(field, profile) := [field, "type"] if "type" in object.keys(profile)

path_of(field, profile) := [field] if not "type" in object.keys(profile)

type_of(profile) := sprintf("of type '%v'", [profile.type])

type_of(profile) := "without a type" if not "type" in object.keys(profile)

# The profile of the container runtime in place of another; whatever else was set goes with it.
by_default(path) := {"op": "add", "path": path, "value": {"type": "RuntimeDefault"}}

annotated_by_default(key) := {
	"op": "replace",
	"path": array.concat(data.lib.workload.annotations_path, [key]),
	"value": "runtime/default",
}

# The API server refuses a seccomp annotation that contradicts the field of the same pod or
# container: both change together. The name of the pod itself is empty.
seccomp_by_default(path, name) := array.concat([by_default(path)], [annotated_by_default(key) |
	some key in object.keys(data.lib.workload.annotations)
	is_about(key, name)
	data.lib.workload.annotations[key] != "runtime/default"
])

is_about(key, "") if key == "seccomp.security.alpha.kubernetes.io/pod"

is_about(key, name) if {
	name != ""
	key == concat("", ["container.seccomp.security.alpha.kubernetes.io/", name])
}
