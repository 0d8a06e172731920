# METADATA
# title: Workload without the common labels
# description: |
#   Tools that show applications know them by `app.kubernetes.io/name` and `app.kubernetes.io/instance`.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
# custom:
#   severity: info
#   profile: optional
#   contested: >-
#     nothing of Kubernetes reads them, and who uses no tool that does gains nothing
#   fix: manual
#   equivalents: [kubescape:C-0077]
package policies.metadata.no_common_labels

import data.lib.workload

deny contains finding if {
	some path in {own, template}
	not has_one(object.get(input.object, path, null))
	what := whose(path)
	finding := {
		"path": ["metadata", "name"],
		"anchor": what,
		"message": sprintf("gives %s no label by which tools know applications", [what]),
	}
}

own := ["metadata", "labels"]

whose(path) := "it" if path == own

whose(path) := "its pods" if path != own

# Of a pod these are its own.
template := array.concat(array.slice(workload.pod_path, 0, count(workload.pod_path) - 1), ["metadata", "labels"])

has_one(labels) if {
	some label in ["app.kubernetes.io/name", "app.kubernetes.io/instance"]
	is_object(labels)
	label in object.keys(labels)
}
