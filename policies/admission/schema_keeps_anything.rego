# METADATA
# title: Custom resource whose schema keeps anything
# description: |
#   Fields that nobody knows are stored as they come: a typing error is never told, and an object can
#   carry whatever somebody hides in it. Told of a whole version, not of single fields that are free.
# related_resources:
#   - https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#controlling-pruning
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [CustomResourceDefinition]
package policies.admission.schema_keeps_anything

deny contains finding if {
	is_array(input.object.spec.versions)
	some index, version in input.object.spec.versions
	version.schema.openAPIV3Schema["x-kubernetes-preserve-unknown-fields"] == true
	finding := {
		"path": ["spec", "versions", index, "schema", "openAPIV3Schema", "x-kubernetes-preserve-unknown-fields"],
		"anchor": version.name,
		"message": sprintf("version '%s' keeps fields that nobody knows", [version.name]),
	}
}

deny contains finding if {
	input.object.spec.preserveUnknownFields == true
	finding := {
		"path": ["spec", "preserveUnknownFields"],
		"message": "keeps fields that nobody knows",
	}
}
