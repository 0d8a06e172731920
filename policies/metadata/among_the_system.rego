# METADATA
# title: Workload in a namespace of Kubernetes
# description: |
#   What stands in `kube-system` is beside the parts of the cluster: policies spare it, rights there lead
#   to those of the parts, and nobody expects an application. Parts of the platform say that they are
#   some by a priority class of the system.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents: [trivy:KSV-0037, kics:using_unrecommended_namespace]
package policies.metadata.among_the_system

import data.lib.workload

deny contains finding if {
	input.object.metadata.namespace in ["kube-system", "kube-public", "kube-node-lease"]
	not of_the_system
	finding := {
		"path": ["metadata", "namespace"],
		"message": sprintf("stands among the parts of the cluster, in '%s'", [input.object.metadata.namespace]),
	}
}

of_the_system if {
	is_string(workload.pod.priorityClassName)
	startswith(workload.pod.priorityClassName, "system-")
}
