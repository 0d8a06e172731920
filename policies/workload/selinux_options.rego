# METADATA
# title: SELinux label of its own
# description: |
#   SELinux keeps containers apart from the node by their label. A type such as spc_t is not held
#   at all, and a user or role of its own may be allowed what no container should be.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/se-linux, pss-restricted/se-linux]
#   equivalents: [trivy:KSV-0025, kyverno:disallow-selinux, gatekeeper:selinux, kubescape:C-0211]
package policies.workload.selinux_options

import data.lib.workload

types_of_containers := {"container_t", "container_init_t", "container_kvm_t"}

deny contains finding if {
	some context in workload.contexts
	options := context.spec.seLinuxOptions
	some field in ["type", "user", "role"]
	value := options[field]
	value != null
	not allowed(field, value)
	path := array.concat(context.path, ["seLinuxOptions", field])
	finding := {
		"path": path,
		"anchor": sprintf("%s/%s", [context.anchor, field]),
		"message": sprintf("%s sets the SELinux %s '%v'", [context.who, field, value]),
		"fix": {
			"title": "leave the label to the container runtime",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": path}],
		},
	}
}

allowed(_, value) if value == ""

allowed("type", value) if value in types_of_containers

# For container engines inside of containers, since 1.31.
allowed("type", value) if {
	input.kubernetes >= 131
	value == "container_engine_t"
}
