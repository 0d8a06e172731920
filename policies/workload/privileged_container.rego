# METADATA
# title: Privileged container
# description: |
#   A privileged container runs with every kernel capability and every device of its host.
#   Whoever controls its process controls the node, and with it every pod and secret there.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   profile: essential
#   fix: deterministic
#   controls: [pss-baseline/privileged, cis-2.0.1/5.2.2]
#   equivalents: [trivy:KSV-0017, checkov:CKV_K8S_16, kubescape:C-0057, kube-linter:privileged-container]
package policies.workload.privileged_container

import data.lib.workload

deny contains finding if {
	some container in workload.containers
	container.spec.securityContext.privileged == true
	path := array.concat(container.path, ["securityContext", "privileged"])
	finding := {
		"path": path,
		"anchor": name_of(container),
		"message": sprintf("container '%s' runs privileged", [name_of(container)]),
		"fix": {
			"title": "run it unprivileged",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": path, "value": false}],
		},
	}
}

name_of(container) := container.spec.name if is_string(container.spec.name)

name_of(container) := container.list if not is_string(object.get(container.spec, "name", null))
