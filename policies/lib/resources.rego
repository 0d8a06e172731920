# What containers ask for and what holds them, after the defaults that Kubernetes gives: a limit
# counts as the request where none is written, resources of the pod hold for all of its containers,
# and a LimitRange speaks where nothing is written.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.resources

# The containers that run as long as the pod: sidecars are init containers that are restarted. The
# room that these ask for is what the others start in.
lasting := [container |
	some container in data.lib.workload.containers
	lasts(container)
]

lasts(container) if container.list == "containers"

lasts(container) if container.spec.restartPolicy == "Always"

# All that may have resources: ephemeral containers may not.
able := [container |
	some container in data.lib.workload.containers
	container.list != "ephemeralContainers"
]

# Whether room is kept for a container.
has_request(container, resource) if asks(container.spec, resource)

has_request(_, resource) if {
	pods_have_resources
	asks(data.lib.workload.pod, resource)
}

has_request(container, resource) if {
	not says(container.spec, "requests", resource)
	not says(container.spec, "limits", resource)
	is_given("requests", resource)
}

# Whether a container is held to an amount.
has_limit(container, resource) if is_limited(container.spec, resource)

has_limit(_, resource) if {
	pods_have_resources
	is_limited(data.lib.workload.pod, resource)
}

has_limit(container, resource) if {
	not says(container.spec, "limits", resource)
	is_given("limits", resource)
}

is_given(list, resource) if {
	amounts := input.facts.resource_defaults[list]
	resource in object.keys(amounts)
	not nothing(amounts[resource])
}

# Resources of the pod as a whole are on by default since 1.34; before, they are dropped.
pods_have_resources if input.kubernetes >= 134

asks(owner, resource) if {
	says(owner, "requests", resource)
	not nothing(owner.resources.requests[resource])
}

asks(owner, resource) if {
	not says(owner, "requests", resource)
	is_limited(owner, resource)
}

is_limited(owner, resource) if {
	says(owner, "limits", resource)
	not nothing(owner.resources.limits[resource])
}

says(owner, list, resource) if {
	is_object(owner.resources[list])
	resource in object.keys(owner.resources[list])
}

# A request of nothing keeps no room, and a limit of nothing is none.
nothing(quantity) if data.lib.quantities.value(quantity) == 0

# Where something is missing, as far as it is written.
place(container, list, resource) := array.concat(container.path, ["resources", list, resource]) if {
	says(container.spec, list, resource)
}

place(container, list, resource) := array.concat(container.path, ["resources", list]) if {
	has_list(container, list)
	not says(container.spec, list, resource)
}

place(container, list, _) := array.concat(container.path, ["resources"]) if {
	has_resources(container)
	not has_list(container, list)
}

place(container, _, _) := container.path if not has_resources(container)

has_list(container, list) if is_object(container.spec.resources[list])

has_resources(container) if is_object(container.spec.resources)
