# METADATA
# title: Broken pod that no template heals
# description: |
#   A StatefulSet with podManagementPolicy OrderedReady, the default, replaces no pod while another one is
#   not ready. A pod that an update broke stays as it is, also when the template is mended or rolled back:
#   somebody has to delete it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
#   - https://github.com/kubernetes/kubernetes/issues/67250
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [StatefulSet]
#   facts: [unwell]
package policies.rollout.broken_ordinal_blocks

deny contains finding if {
	some pod in input.facts.unwell.blocking
	finding := {
		"path": ["metadata", "name"],
		"anchor": pod.name,
		"message": sprintf("waits for ever for pod %s, which fails and %s: delete the pod", [pod.name, pod.why]),
		"evidence": [{"message": pod.message, "object": pod.object, "path": ["status"]}],
	}
}
