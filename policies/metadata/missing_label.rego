# METADATA
# title: Required label is missing
# description: |
#   A company may want to know of every object who answers for it: whatever lacks one of the labels that
#   the configuration declares is told, with a value that none matches as well. Nothing is required
#   until something is declared.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds:
#     - Deployment
#     - StatefulSet
#     - DaemonSet
#     - Job
#     - CronJob
#     - ReplicaSet
#     - ReplicationController
#     - Pod
#     - PodTemplate
#     - Service
#     - Ingress
#   parameters:
#     labels:
#       description: The labels that every object has to have; `name=pattern` says what its whole value matches.
#       default: []
#   equivalents: [kubescape:C-0076, kube-linter:required-label-owner, kyverno:require-labels, gatekeeper:requiredlabels]
package policies.metadata.missing_label

import data.lib.required

deny contains finding if {
	some wanted in input.parameters.labels
	not has(wanted)
	name := required.name(wanted)
	finding := {
		"path": ["metadata", "name"],
		"anchor": name,
		"message": sprintf("has no label '%s' as it is required", [name]),
	}
}

has(wanted) if required.has(input.object.metadata.labels, wanted)
