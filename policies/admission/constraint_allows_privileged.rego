# METADATA
# title: Security context constraint that allows privileged containers
# description: |
#   On OpenShift whoever may use the constraint owns the node that its pod runs on. Constraints that come
#   with OpenShift are not judged.
# related_resources:
#   - https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/authentication_and_authorization/managing-pod-security-policies
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   kinds: [SecurityContextConstraints]
#   equivalents: [kube-linter:scc-deny-privileged-container]
package policies.admission.constraint_allows_privileged

deny contains finding if {
	input.object.allowPrivilegedContainer == true
	not input.object.metadata.name in ["privileged", "node-exporter"]
	finding := {
		"path": ["allowPrivilegedContainer"],
		"message": "allows privileged containers",
		"fix": {
			"title": "allow none",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["allowPrivilegedContainer"], "value": false}],
		},
	}
}
