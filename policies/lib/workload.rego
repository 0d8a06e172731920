# What policies on workloads ask of the prepared input.
package lib.workload

# Every container of every list, with its path from the top of the object:
# {"list": "initContainers", "path": [...], "spec": {...}}
containers := input.workload.containers

# The pod specification, and where it stands.
pod := input.workload.pod

pod_path := input.workload.path
