# METADATA
# title: Selector that means the pods of another
# description: |
#   A selector is what an autoscaler averages over, and what a controller adopts pods by that nobody owns.
#   Where it meets the pods of another controller, the load of the one scales the other.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet]
#   facts: [overlap]
package policies.rollout.selectors_overlap

overlap := input.facts.overlap

deny contains finding if {
	some other in overlap.others
	finding := {
		"path": ["spec", "selector"],
		"anchor": other.name,
		"message": sprintf("its selector means the pods of %s too%s", [other.name, so]),
		"evidence": [{"message": "its pods have these labels", "object": other.object, "path": ["spec", "template", "metadata"]}],
		"severity": severity,
	}
}

so := sprintf(", so that %s goes by the load of both", [overlap.scaler]) if overlap.scaler != ""

so := "" if overlap.scaler == ""

severity := "medium" if overlap.scaler != ""

severity := "low" if overlap.scaler == ""
