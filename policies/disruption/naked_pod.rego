# METADATA
# title: Pod that nobody brings back
# description: |
#   A pod without a controller is not made again when its node is drained or lost, and a drain refuses to
#   delete it without --force. Pods that end by themselves, those of a kubelet's own files and hooks are
#   meant so.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/overview/#naked-pods-vs-replicasets-deployments-and-jobs
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   kinds: [Pod]
#   equivalents:
#     - kubescape:C-0073
#     - popeye:POP-208
#     - kyverno:prevent-bare-pods
package policies.disruption.naked_pod

import data.lib.workload
import data.lib.written

deny contains finding if {
	count(written.list(input.object.metadata, "ownerReferences")) == 0
	object.get(workload.pod, "restartPolicy", "Always") == "Always"
	count(marks & object.keys(notes)) == 0
	finding := {
		"path": ["metadata", "name"],
		"message": "no controller makes it again when its node is drained or lost",
	}
}

marks := {"kubernetes.io/config.mirror", "kubernetes.io/config.source", "helm.sh/hook", "argocd.argoproj.io/hook"}

default notes := {}

notes := found if {
	found := input.object.metadata.annotations
	is_object(found)
}
