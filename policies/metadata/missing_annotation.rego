# METADATA
# title: Required annotation is missing
# description: |
#   A company may want to know of every object who answers for it: whatever lacks one of the annotations that
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
#     annotations:
#       description: The annotations that every object has to have; `name=pattern` says what its whole value matches.
#       default: []
#   equivalents: [kube-linter:required-annotation-email, kyverno:require-annotations, gatekeeper:requiredannotations]
package policies.metadata.missing_annotation

import data.lib.required

deny contains finding if {
	some wanted in input.parameters.annotations
	not has(wanted)
	name := required.name(wanted)
	finding := {
		"path": ["metadata", "name"],
		"anchor": name,
		"message": sprintf("has no annotation '%s' as it is required", [name]),
	}
}

has(wanted) if required.has(input.object.metadata.annotations, wanted)
