# METADATA
# title: Port of a container that is refused
# description: |
#   The API server takes no port without a number, none whose name has more than 15 characters or others
#   than lower-case letters, digits and dashes, and no name twice in one container.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   equivalents: [kube-score:container-ports-check]
package policies.workload.port_refused

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.ports)
	some index, port in container.spec.ports
	is_object(port)
	some why in reasons(container.spec.ports, index)
	finding := {
		"path": array.concat(container.path, ["ports", index]),
		"anchor": sprintf("%s/%v", [workload.name(container), called(port)]),
		"message": sprintf("container '%s' has a port that is refused: %s", [workload.name(container), why]),
	}
}

# Not by its place, which others may take.
called(port) := port.name if is_string(port.name)

called(port) := object.get(port, "containerPort", "") if not is_string(port.name)

reasons(ports, index) := [why |
	some why in [number(ports[index]), named(ports[index]), again(ports, index)]
	why != ""
]

number(port) := "it has no number" if not has_number(port)

number(port) := "" if has_number(port)

has_number(port) if port.containerPort != null

named(port) := "its name is none" if misnamed(port)

named(port) := "" if not misnamed(port)

misnamed(port) if {
	name := port.name
	name != null
	not is_name(name)
}

is_name(name) if {
	is_string(name)
	count(name) <= 15
	regex.match(`^([a-z0-9]+-)*[a-z0-9]+$`, name)
	regex.match(`[a-z]`, name)
}

again(ports, index) := "another one has its name" if has_twin(ports, index)

again(ports, index) := "" if not has_twin(ports, index)

has_twin(ports, index) if {
	is_string(ports[index].name)
	some other in array.slice(ports, 0, index)
	other.name == ports[index].name
}
