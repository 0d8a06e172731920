# METADATA
# title: Update strategy that is refused
# description: |
#   A Deployment takes RollingUpdate and Recreate, a StatefulSet and a DaemonSet RollingUpdate and
#   OnDelete. The API server refuses any other word: most often it is one of another kind, as Recreate
#   of a StatefulSet, or the Rolling of OpenShift.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet]
#   equivalents: [kube-linter:no-rolling-update-strategy]
package policies.rollout.refused_strategy

taken := {"RollingUpdate", "Recreate"} if input.object.kind == "Deployment"

taken := {"RollingUpdate", "OnDelete"} if input.object.kind != "Deployment"

field := "strategy" if input.object.kind == "Deployment"

field := "updateStrategy" if input.object.kind != "Deployment"

deny contains finding if {
	type := input.object.spec[field].type
	is_string(type)
	type != ""
	not type in taken
	finding := {
		"path": ["spec", field, "type"],
		"message": sprintf("the API server refuses the strategy '%s' of a %s", [type, input.object.kind]),
	}
}
