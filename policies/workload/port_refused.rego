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
#   fix: deterministic
#   equivalents: [kube-score:container-ports-check]
package policies.workload.port_refused

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.ports)
	some index, port in container.spec.ports
	is_object(port)
	some why in reasons(container.spec.ports, index)
	finding := object.union(
		{
			"path": array.concat(container.path, ["ports", index]),
			"anchor": sprintf("%s/%v", [workload.name(container), called(port)]),
			"message": sprintf("container '%s' has a port that is refused: %s", [workload.name(container), why]),
		},
		mended(container, index),
	)
}

# A number is for its author to give.
mended(container, index) := {} if not has_number(container.spec.ports[index])

mended(container, index) := {"fix": {
	"title": "give it a name that is taken",
	"safety": "unsafe",
	"patch": [step(array.concat(container.path, ["ports", index]), container.spec.ports, index)],
}} if has_number(container.spec.ports[index])

step(path, ports, index) := {"op": "remove", "path": path} if is_said_again(ports, index)

step(path, ports, index) := {
	"op": "replace", "path": array.concat(path, ["name"]), "value": better(ports[index]),
} if {
	is_free(better(ports[index]), ports)
}

step(path, ports, index) := {"op": "remove", "path": array.concat(path, ["name"])} if {
	not is_said_again(ports, index)
	not is_free(better(ports[index]), ports)
}

# Nobody else has it, nor gets it at the same time; two that are one port would.
is_free(name, ports) if {
	is_name(name)
	count([port | some port in ports; better(port) == name]) == 1
	count([port | some port in ports; port.name == name]) == 0
}

# The same port a second time, name and all.
is_said_again(ports, index) if {
	port := ports[index]
	some other in array.slice(ports, 0, index)
	other.name == port.name
	other.containerPort == port.containerPort
	object.get(other, "protocol", "TCP") == object.get(port, "protocol", "TCP")
}

better(port) := sprintf("%s-%v", [port.name, port.containerPort]) if is_name(port.name)

better(port) := trim(substring(dashed(port.name), 0, 15), "-") if not is_name(port.name)

dashed(name) := trim(regex.replace(lower(name), `[^a-z0-9]+`, "-"), "-") if is_string(name)

dashed(name) := "" if not is_string(name)

# Not by its place, which others may take.
called(port) := port.name if is_string(object.get(port, "name", null))

called(port) := object.get(port, "containerPort", "") if not is_string(object.get(port, "name", null))

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
