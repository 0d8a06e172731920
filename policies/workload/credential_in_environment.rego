# METADATA
# title: Credential in plain text
# description: |
#   A password, token or key that stands in the manifest is read by everybody who reads the repository,
#   the pipeline's log or the pod, and is the same everywhere the manifest goes. Told of variables and
#   arguments whose name says credential and whose value is no reference, path or placeholder, of
#   addresses with a password in them, and of tokens of a known form. The value itself is never shown.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/secret/
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   equivalents:
#     - kubescape:C-0012
#     - kubescape:C-0259
#     - kube-linter:env-var-secret
#     - polaris:sensitiveContainerEnvVar
package policies.workload.credential_in_environment

import data.lib.credentials
import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.env)
	some index, variable in container.spec.env
	is_object(variable)
	name := workload.named(variable, "env")
	credentials.holds(name, variable.value)
	finding := {
		"path": array.concat(container.path, ["env", index, "value"]),
		"anchor": sprintf("%s/%s", [workload.name(container), name]),
		"message": sprintf("container '%s' has a credential in plain text in the variable '%s'", [
			workload.name(container), name,
		]),
	}
}

deny contains finding if {
	some word in words
	finding := {
		"path": word.path,
		"anchor": sprintf("%s/%s", [workload.name(word.container), word.name]),
		"message": sprintf("container '%s' has a credential in plain text in its %s%s", [
			workload.name(word.container), word.field, described(word.name),
		]),
	}
}

described(name) := sprintf(": '%s'", [name]) if name != ""

described("") := ""

# "--password=…", "PASSWORD=…".
words contains word if {
	some given in arguments
	found := regex.find_all_string_submatch_n(`^(-{0,2}[A-Za-z_][A-Za-z0-9_.-]*)=`, given.text, 1)
	name := substring(found[0][1], 0, -1)
	credentials.holds(name, substring(given.text, count(name) + 1, -1))
	word := object.union(given, {"name": name})
}

# "--password", "…".
words contains word if {
	some given in arguments
	regex.match(`^--?[A-Za-z][A-Za-z0-9_.-]*$`, given.text)
	value := given.next
	is_string(value)
	not startswith(value, "-")
	credentials.holds(given.text, value)
	word := object.union(given, {
		"name": given.text,
		"path": array.concat(given.folder, [given.index + 1]),
	})
}

words contains word if {
	some given in arguments
	not regex.match(`^-{0,2}[A-Za-z_][A-Za-z0-9_.-]*=`, given.text)
	not follows_flag(given)
	credentials.speaks_for_itself(given.text)
	word := object.union(given, {"name": ""})
}

# Then it is told by the name of the flag.
follows_flag(given) if {
	is_string(given.last)
	regex.match(`^--?[A-Za-z][A-Za-z0-9_.-]*$`, given.last)
}

arguments contains given if {
	some container in workload.containers
	some field in ["command", "args"]
	list := container.spec[field]
	is_array(list)
	framed := array.concat(array.concat([null], list), [null])
	some index, text in list
	is_string(text)
	given := {
		"container": container,
		"field": field,
		"index": index,
		"text": text,
		"next": framed[index + 2],
		"last": framed[index],
		"folder": array.concat(container.path, [field]),
		"path": array.concat(container.path, [field, index]),
	}
}
