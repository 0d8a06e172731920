# METADATA
# title: Privileged container
# description: |
#   A privileged container runs with every kernel capability and every device of its host.
#   Whoever controls its process controls the node, and with it every pod and secret there.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   profile: essential
#   fix: deterministic
#   controls: [pss-baseline/privileged, pss-restricted/privileged, cis-2.0.1/5.2.2]
#   equivalents:
#     - kubescape:C-0057
#     - kubescape:C-0193
#     - kubescape:C-0213
#     - trivy:KSV-0017
#     - checkov:CKV_K8S_16
#     - checkov:CKV_K8S_2
#     - kube-linter:privileged-container
#     - polaris:runAsPrivileged
#     - kube-score:container-security-context-privileged
#     - kubeaudit:PrivilegedTrue
#     - kubeaudit:PrivilegedNil
#     - kics:container_is_privileged
#     - kics:psp_set_to_privileged
#     - kyverno:disallow-privileged-containers
#     - gatekeeper:privileged-containers
#     - kubesec:Privileged
#     - prowler:core_minimize_privileged_containers
package policies.workload.privileged_container

import data.lib.capabilities
import data.lib.workload

deny contains finding if {
	some container in workload.containers
	container.spec.securityContext.privileged == true
	path := array.concat(container.path, ["securityContext", "privileged"])
	finding := {
		"path": path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' runs privileged", [workload.name(container)]),
		"fix": {
			"title": "run it unprivileged",
			"safety": "unsafe",
			"patch": array.concat(
				[{"op": "replace", "path": path, "value": false}],
				gaining_nothing(container),
			),
		},
	}
}

# The API server refuses to switch escalation off beside SYS_ADMIN.
gaining_nothing(container) := capabilities.no_escalation(container) if not capabilities.administers(container)

gaining_nothing(container) := [] if capabilities.administers(container)
