# METADATA
# title: No liveness probe
# description: |
#   A container that hangs is restarted only where a liveness probe notices.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
# custom:
#   severity: low
#   profile: optional
#   contested: a liveness probe that asks too much restarts what is only busy; a program that ends when it cannot go on needs none
#   fix: manual
#   kinds: [Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Rollout]
#   equivalents:
#     - kubescape:C-0056
#     - checkov:CKV_K8S_8
#     - kube-linter:no-liveness-probe
#     - polaris:livenessProbeMissing
#     - kube-score:pod-probes
#     - popeye:POP-103
#     - kics:liveness_probe_is_not_defined
#     - kyverno:require-pod-probes
#     - gatekeeper:requiredprobes
#     - prowler:core_liveness_probe_configured
package policies.health.no_liveness_probe

import data.lib.probes
import data.lib.workload

deny contains finding if {
	some container in probes.containers
	not probes.has(container, "livenessProbe")
	finding := {
		"path": container.path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' has no liveness probe", [workload.name(container)]),
	}
}
