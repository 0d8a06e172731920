# METADATA
# title: Names of its own in /etc/hosts
# description: |
#   hostAliases gives names to addresses for one pod. They come before DNS, so that they stay when the
#   address belongs to somebody else, and whoever writes the pod decides whom a name means.
# related_resources:
#   - https://kubernetes.io/docs/tasks/network/customize-hosts-file-for-pods/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     It is the documented way to give a pod a name that DNS does not have, and harms nobody else.
#   fix: manual
#   equivalents: [trivy:KSV-0007, kubesec:HostAliases]
package policies.workload.host_aliases

import data.lib.workload

deny contains finding if {
	list := workload.pod.hostAliases
	is_array(list)
	count(list) > 0
	finding := {
		"path": array.concat(workload.pod_path, ["hostAliases"]),
		"message": sprintf("has names of its own for %v addresses", [count(list)]),
	}
}
