# METADATA
# title: Sees all of /proc in a user namespace
# description: |
#   A pod with users of its own may see all of /proc without being anybody on the node, but what
#   the kernel tells there it tells. Level Restricted forbids it all the same, since 1.35 in a rule of
#   its own; containers in containers are what it is made for, so that strict alone asks.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [pss-restricted/proc-mount]
#   equivalents:
#     - trivy:KSV-0027
#     - kube-linter:unsafe-proc-mount
#     - polaris:procMount
#     - kics:container_runs_unmasked
#     - kyverno:disallow-proc-mount
#     - gatekeeper:proc-mount
#     - kubesec:ProcMount
#     - kubescape:C-0211
package policies.workload.unmasked_proc_in_user_namespace

import data.lib.workload

deny contains finding if {
	workload.protected_by_own_users
	some container in workload.unmasked
	path := array.concat(container.path, ["securityContext", "procMount"])
	finding := {
		"path": path,
		"anchor": workload.name(container),
		"message": sprintf("container '%s' mounts /proc as '%v', in a user namespace", [
			workload.name(container), container.spec.securityContext.procMount,
		]),
		"fix": {
			"title": "mask it as the container runtime does",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": path, "value": "Default"}],
		},
	}
}
