# The ports that containers declare.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.ports

declared contains port if {
	some container in data.lib.workload.containers
	is_array(container.spec.ports)
	some index, spec in container.spec.ports
	name := data.lib.workload.name(container)
	port := {
		"container": name,
		"number": spec.containerPort,
		"path": array.concat(container.path, ["ports", index, "containerPort"]),
		"anchor": sprintf("%s/%v", [name, object.get(spec, "name", spec.containerPort)]),
	}
}
