# METADATA
# title: Label that is refused
# description: |
#   The API server takes no value of a label that has more than 63 characters, others than letters,
#   digits, dashes, dots and underscores, or begins or ends with one of the latter. Of the key the
#   same is true, which is not empty either, and may have a name of DNS and a slash before it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds:
#     - Deployment
#     - StatefulSet
#     - DaemonSet
#     - Job
#     - CronJob
#     - ReplicaSet
#     - ReplicationController
#     - Pod
#     - PodTemplate
#     - Service
#     - Ingress
#     - Namespace
#     - ConfigMap
#     - ServiceAccount
#     - NetworkPolicy
#   equivalents: [kube-score:label-values, kics:metadata_label_is_invalid]
package policies.metadata.label_refused

deny contains finding if {
	is_object(input.object.metadata.labels)
	some name, value in input.object.metadata.labels
	is_string(value)
	not is_value(value)
	finding := object.union(
		{
			"path": ["metadata", "labels", name],
			"anchor": name,
			"message": sprintf("the value of the label '%s' is refused", [name]),
		},
		unless_empty(name, taken(value)),
	)
}

unless_empty(name, value) := {"fix": {
	"title": "write a value that is taken",
	"safety": "unsafe",
	"patch": [{"op": "replace", "path": ["metadata", "labels", name], "value": value}],
}} if value != ""

# Nothing of it can be kept.
unless_empty(_, "") := {}

deny contains finding if {
	is_object(input.object.metadata.labels)
	some key, _ in input.object.metadata.labels
	not is_key(split(key, "/"))
	finding := {
		"path": ["metadata", "labels", key],
		"anchor": sprintf("key %s", [key]),
		"message": sprintf("the key of the label '%s' is refused", [key]),
	}
}

# As near as can be: whatever is not allowed becomes a dash, and nothing but a letter or a digit stands
# at either end.
taken(value) := trim(substring(trim(dashed(value), "-_."), 0, 63), "-_.")

dashed(value) := regex.replace(value, `[^A-Za-z0-9_.-]+`, "-")

is_value(value) if value == ""

is_value(value) if is_name(value)

is_key(parts) if {
	count(parts) == 1
	is_name(parts[0])
}

is_key(parts) if {
	count(parts) == 2
	count(parts[0]) <= 253
	regex.match(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`, parts[0])
	is_name(parts[1])
}

is_name(word) if {
	count(word) <= 63
	regex.match(`^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$`, word)
}
