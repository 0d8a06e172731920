# METADATA
# title: Asks the metadata service of the cloud
# description: |
#   The metadata service gives whoever asks it the credentials of the node. A container that is told its
#   address relies on the node's identity, which every other pod there can take as well, instead of an
#   identity of its own (IAM roles for service accounts, workload identity).
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/security-checklist/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents: [kubescape:C-0052]
package policies.workload.cloud_metadata

import data.lib.workload

addresses := ["169.254.169.254", "fd00:ec2::254", "metadata.google.internal", "100.100.100.200"]

deny contains finding if {
	some place in places
	some address in addresses
	contains(place.text, address)
	finding := {
		"path": place.path,
		"anchor": place.anchor,
		"message": sprintf("container '%s' is told the metadata service's address %s", [place.container, address]),
	}
}

is_meant(text) if {
	is_string(text)
	some address in addresses
	contains(text, address)
}

places contains place if {
	some container in workload.containers
	is_array(container.spec.env)
	some index, variable in container.spec.env
	is_object(variable)
	is_meant(variable.value)
	name := workload.name(container)
	place := {
		"text": variable.value,
		"container": name,
		"path": array.concat(container.path, ["env", index, "value"]),
		"anchor": sprintf("%s/%s", [name, workload.named(variable, "env")]),
	}
}

places contains place if {
	some container in workload.containers
	some field in ["command", "args"]
	is_array(container.spec[field])
	some index, word in container.spec[field]
	is_meant(word)
	place := {
		"text": word,
		"container": workload.name(container),
		"path": array.concat(container.path, [field, index]),
		"anchor": sprintf("%s/%s", [workload.name(container), field]),
	}
}
