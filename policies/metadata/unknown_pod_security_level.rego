# METADATA
# title: Pod Security level that is none
# description: |
#   The API server refuses a namespace with such a label; on one that has it already, it demands the
#   level restricted of every pod to come, and refuses most.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-admission/
# custom:
#   severity: high
#   profile: recommended
#   fix: manual
#   kinds: [Namespace]
package policies.metadata.unknown_pod_security_level

labels := object.get(input.object.metadata, "labels", {})

deny contains finding if {
	some mode in ["enforce", "audit", "warn"]
	label := sprintf("pod-security.kubernetes.io/%s", [mode])
	is_object(labels)
	level := object.get(labels, label, "privileged")
	not level in ["privileged", "baseline", "restricted"]
	finding := {
		"path": ["metadata", "labels", label],
		"anchor": mode,
		"message": sprintf("'%v' is no Pod Security level", [level]),
	}
}
