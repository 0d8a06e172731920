# METADATA
# title: Field serviceAccount of the past
# description: |
#   serviceAccount is the deprecated name of serviceAccountName. The API server still reads it where
#   the other is not set, and writes both; tools and policies that look at serviceAccountName alone take
#   the pod for one of the account 'default'. Beside the same serviceAccountName it harms nobody.
# related_resources:
#   - https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   equivalents:
#     - kubescape:C-0294
#     - kube-linter:deprecated-service-account-field
#     - kubeaudit:AutomountServiceAccountTokenDeprecated
package policies.workload.deprecated_service_account_field

import data.lib.workload

path := array.concat(workload.pod_path, ["serviceAccount"])

deny contains finding if {
	old := workload.pod.serviceAccount
	is_string(old)
	old != ""
	old != object.get(workload.pod, "serviceAccountName", "")
	finding := {
		"path": path,
		"message": sprintf("names its service account in the deprecated field serviceAccount%s", [beside]),
		"fix": {
			"title": "say serviceAccountName",
			"safety": "safe",
			"patch": array.concat(named(old), [{"op": "remove", "path": path}]),
		},
	}
}

# The API server goes by serviceAccountName where both are there.
has_name if {
	is_string(workload.pod.serviceAccountName)
	workload.pod.serviceAccountName != ""
}

beside := ", beside another serviceAccountName" if has_name

beside := "" if not has_name

named(_) := [] if has_name

named(old) := [{
	"op": "add",
	"path": array.concat(workload.pod_path, ["serviceAccountName"]),
	"value": old,
}] if not has_name
