# METADATA
# title: Not root, but not kept from it
# description: |
#   The manifest gives the container a user other than root, so that it does not run as root today.
#   Level Restricted wants runAsNonRoot: true besides, which keeps a later change of the user from
#   going unnoticed. Strict alone asks, for nothing is wrong yet.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [pss-restricted/run-as-non-root]
#   equivalents: [kubescape:C-0198, trivy:KSV-0012, kyverno:require-run-as-nonroot, kubesec:RunAsNonRoot]
package policies.workload.non_root_not_enforced

import data.lib.users

deny contains finding if {
	some fault in users.faults
	every container in fault.containers {
		users.is_other(container)
	}
	finding := {
		"path": fault.path,
		"anchor": fault.anchor,
		"message": sprintf("%s is not kept from running as root: %s", [fault.who, fault.why]),
		# The kubelet compares the user that the manifest gives, and never refuses these.
		"fix": {
			"title": "say that it must not be root",
			"safety": "safe",
			"patch": [{"op": "add", "path": fault.field, "value": true}],
		},
	}
}
