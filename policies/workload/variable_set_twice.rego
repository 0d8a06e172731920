# METADATA
# title: Variable that is set twice
# description: |
#   The last one holds, and the first is lost without a word; a tool that merges by name keeps either of
#   them. Where nothing between them reads the first, it can go.
# related_resources:
#   - https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   equivalents:
#     - kubescape:C-0295
#     - kube-linter:duplicate-env-var
#     - kube-score:environment-variable-key-duplication
package policies.workload.variable_set_twice

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.env)
	some index, variable in container.spec.env
	later := [each | some each in array.slice(container.spec.env, index + 1, count(container.spec.env)); each.name == variable.name]
	count(later) > 0
	path := array.concat(container.path, ["env", index])
	finding := {
		"path": array.concat(path, ["name"]),
		"anchor": sprintf("%s/%s/%d", [workload.name(container), variable.name, count(later)]),
		"message": sprintf("container '%s' sets the variable '%s' again further down", [
			workload.name(container), variable.name,
		]),
		"fix": {
			"title": "leave the one that holds",
			"safety": safety(container.spec.env, variable.name),
			"patch": [{"op": "remove", "path": path}],
		},
	}
}

# Another variable may be made of the first.
safety(env, name) := "unsafe" if is_read(env, name)

safety(env, name) := "safe" if not is_read(env, name)

is_read(env, name) if {
	some each in env
	is_string(each.value)
	contains(each.value, sprintf("$(%s)", [name]))
}
