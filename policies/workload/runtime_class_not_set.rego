# METADATA
# title: No runtime class
# description: |
#   A runtime class can put a pod behind a kernel of its own (gVisor, Kata Containers), which keeps a
#   hole in the node's kernel from being a way out. Without one it gets what the node has.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/runtime-class/
# custom:
#   severity: info
#   profile: optional
#   contested: |
#     Most clusters have one runtime and no runtime class at all; it is a question for those that run the
#     code of strangers.
#   fix: manual
#   equivalents: [kyverno:restrict-runtimeClassName, kubescape:C-0297]
package policies.workload.runtime_class_not_set

import data.lib.workload

deny contains finding if {
	not has_class
	finding := {
		"path": workload.pod_path,
		"message": "has no runtime class",
	}
}

has_class if {
	is_string(workload.pod.runtimeClassName)
	workload.pod.runtimeClassName != ""
}
