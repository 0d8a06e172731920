# METADATA
# title: Group id that others may have
# description: |
#   Files of the node and of images are often open to a group with a low id, and most of all to the
#   root group, 0. A process in it may read or write them once it meets them: in a volume, or after a
#   break-out. Strict alone asks: images made for users of any id put their files into the root group
#   on purpose. What only the image says cannot be seen.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents:
#     - trivy:KSV-0021
#     - trivy:KSV-0116
#     - kube-score:container-security-context-user-group-id
#     - kube-linter:run-as-non-root
#     - kyverno:require-non-root-groups
#     - kubesec:RunAsGroup
#     - gatekeeper:users
package policies.workload.low_group_id

import data.lib.workload

deny contains finding if {
	not workload.own_users
	not workload.windows
	some group in groups
	group.id >= 0
	group.id < 10000
	finding := {
		"path": group.path,
		"anchor": group.anchor,
		"message": sprintf("%s is in group %v, %s: %s", [group.who, group.id, whose(group.id), group.field]),
	}
}

whose(0) := "the root group"

whose(id) := "which may be somebody else's on the node" if id != 0

groups contains group if {
	some context in workload.contexts
	some field in ["runAsGroup", "fsGroup"]
	group := {
		"who": context.who,
		"field": field,
		"id": context.spec[field],
		"anchor": sprintf("%s/%s", [context.anchor, field]),
		"path": array.concat(context.path, [field]),
	}
}

groups contains group if {
	list := workload.pod.securityContext.supplementalGroups
	is_array(list)
	some index, id in list
	group := {
		"who": "the pod",
		"field": "supplementalGroups",
		"id": id,
		"anchor": sprintf("/supplementalGroups/%v", [id]),
		"path": array.concat(workload.pod_path, ["securityContext", "supplementalGroups", index]),
	}
}
