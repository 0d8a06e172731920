# METADATA
# title: Secret in an environment variable
# description: |
#   A variable is handed to every program that the container starts, stays in crash reports and in
#   /proc, and keeps its value when the Secret changes. A Secret that is mounted as a file is read by
#   whoever opens it, and follows.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/secret/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     Most images take their credentials from variables and from nowhere else, and whoever can read the
#     environment of a process can mostly read its files as well.
#   fix: manual
#   controls: [cis-2.0.1/5.4.1]
#   equivalents:
#     - kubescape:C-0207
#     - checkov:CKV_K8S_35
#     - kube-linter:read-secret-from-env-var
#     - kics:secrets_as_environment_variables
#     - kyverno:disallow-secrets-from-env-vars
#     - kubesec:SecretsAsEnvironmentVariables
#     - prowler:core_no_secrets_envs
package policies.workload.secret_in_environment

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.env)
	some index, variable in container.spec.env
	is_object(variable.valueFrom.secretKeyRef)
	name := workload.named(variable, "env")
	finding := {
		"path": array.concat(container.path, ["env", index, "valueFrom", "secretKeyRef"]),
		"anchor": sprintf("%s/%s", [workload.name(container), name]),
		"message": sprintf("container '%s' has a Secret in the variable '%s'", [workload.name(container), name]),
	}
}

deny contains finding if {
	some container in workload.containers
	is_array(container.spec.envFrom)
	some index, source in container.spec.envFrom
	is_object(source.secretRef)
	name := workload.named(source.secretRef, "secretRef")
	finding := {
		"path": array.concat(container.path, ["envFrom", index, "secretRef"]),
		"anchor": sprintf("%s/envFrom/%s", [workload.name(container), name]),
		"message": sprintf("container '%s' has all of the Secret '%s' in variables", [
			workload.name(container), name,
		]),
	}
}
