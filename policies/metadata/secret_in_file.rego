# METADATA
# title: Secret with its values in a file
# description: |
#   base64 hides nothing: whoever reads the repository has what stands in it, and so has every copy of
#   it for ever. Told of files alone, and of values that are no placeholder; what was sealed, or comes
#   from a store outside, has other kinds.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [Secret]
#   equivalents: [kics:using_kubernetes_native_secret_management]
package policies.metadata.secret_in_file

deny contains finding if {
	some field in ["data", "stringData"]
	is_object(input.object[field])
	some key, value in input.object[field]
	is_string(value)
	value != ""
	not is_placeholder(value)
	not type in ["kubernetes.io/service-account-token", "helm.sh/release.v1"]
	finding := {
		"path": [field, key],
		"anchor": key,
		"message": sprintf("holds the value of '%s', for whoever reads the file", [key]),
	}
}

type := object.get(input.object, "type", "Opaque")

is_placeholder(value) if {
	some form in [`^[$][{(]`, `^<.*>$`, `^[{][{]`]
	regex.match(form, value)
}
