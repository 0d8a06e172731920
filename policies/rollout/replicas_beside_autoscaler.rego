# METADATA
# title: Number of replicas beside an autoscaler
# description: |
#   Each time the manifest is applied it sets the number of pods back to what it says, whatever the load,
#   until the autoscaler has raised it again. Whoever leaves `replicas` out of a manifest that was applied
#   by kubectl before should take it out of the last applied configuration first, or it becomes 1 once.
# related_resources:
#   - https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout]
#   facts: [autoscaler]
#   equivalents:
#     - kube-score:deployment-targeted-by-hpa-does-not-have-replicas-configured
#     - kics:hpa_targeted_deployments_with_configured_replica_count
package policies.rollout.replicas_beside_autoscaler

deny contains finding if {
	is_number(input.object.spec.replicas)
	not input.object.metadata.uid
	autoscaler := input.facts.autoscaler
	finding := {
		"path": ["spec", "replicas"],
		"message": sprintf("each time it is applied it goes back to %v replicas, whatever %s has made of them", [input.object.spec.replicas, autoscaler.name]),
		"evidence": [{"message": "scales it", "object": autoscaler.object, "path": ["spec"]}],
		"fix": {
			"title": "leave the number to the autoscaler",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": ["spec", "replicas"]}],
		},
	}
}
