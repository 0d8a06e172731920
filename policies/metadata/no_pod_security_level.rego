# METADATA
# title: Namespace that demands no Pod Security level
# description: |
#   Without the label `pod-security.kubernetes.io/enforce` the API server takes every pod: privileged
#   ones, and those that mount the disk of the node. Something else may judge them; where nothing does,
#   level baseline keeps out what owns a node. Namespaces of Kubernetes itself are not judged.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-admission/
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   kinds: [Namespace]
#   equivalents: [kyverno:add-psa-labels]
package policies.metadata.no_pod_security_level

import data.lib.namespaces

enforce := "pod-security.kubernetes.io/enforce"

deny contains finding if {
	not namespaces.is_system
	not labelled
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("namespace '%s' demands no Pod Security level of its pods", [input.object.metadata.name]),
		"fix": {
			"title": "demand level baseline",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": ["metadata", "labels", enforce], "value": "baseline"}],
		},
	}
}

labelled if input.object.metadata.labels[enforce]
