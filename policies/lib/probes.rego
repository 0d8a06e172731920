# What policies on probes have in common.
package lib.probes

# The containers that run as long as the pod, sidecars among them: those that may be probed.
containers := [container |
	some container in data.lib.workload.containers
	is_lasting(container)
]

is_lasting(container) if container.list == "containers"

is_lasting(container) if {
	container.list == "initContainers"
	container.spec.restartPolicy == "Always"
}

names := ["livenessProbe", "readinessProbe", "startupProbe"]

has(container, name) if is_object(object.get(container.spec, name, null))

# A number of a probe, or what the API server sets for what is absent, null or 0: initialDelaySeconds
# 0, periodSeconds 10, failureThreshold 3, timeoutSeconds 1.
number(probe, key, otherwise) := otherwise if object.get(probe, key, 0) in {0, null}

number(probe, key, _) := value if {
	value := probe[key]
	is_number(value)
	value != 0
}

# So many seconds after its start a container is given up by this probe at the latest, if it never
# answers.
patience(probe) := delay + (period * threshold) if {
	delay := number(probe, "initialDelaySeconds", 0)
	period := number(probe, "periodSeconds", 10)
	threshold := number(probe, "failureThreshold", 3)
}

# So many seconds it takes to notice that a container which answered no longer does.
notice(probe) := period * threshold if {
	period := number(probe, "periodSeconds", 10)
	threshold := number(probe, "failureThreshold", 3)
}
