# METADATA
# title: Update that a rollback does not heal
# description: |
#   With podManagementPolicy OrderedReady, the default, a pod that an update broke is replaced neither by a
#   mended template nor by a rollback: somebody has to delete it. Parallel has no such limit, and is the
#   same in updates otherwise; but it makes and deletes pods all at once when it is scaled.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
# custom:
#   severity: info
#   profile: optional
#   contested: whoever needs his pods to start in order has no other choice
#   fix: manual
#   kinds: [StatefulSet]
package policies.rollout.ordered_update_not_healed

deny contains finding if {
	is_object(input.object.spec)
	object.get(input.object.spec, "podManagementPolicy", "OrderedReady") == "OrderedReady"
	object.get(input.object.spec, ["updateStrategy", "type"], "RollingUpdate") == "RollingUpdate"
	finding := {
		"path": ["spec"],
		"message": "once an update has broken a pod, neither a mended template nor a rollback replaces it: podManagementPolicy is OrderedReady",
	}
}
