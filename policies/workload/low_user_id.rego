# METADATA
# title: User id that others may have
# description: |
#   Ids below 10,000 are given to the users of the node and to other images: what breaks out of its
#   container, or shares a volume, then meets files that belong to the same number. Root is told by
#   workload/runs_as_root_user, and what only the image says cannot be seen. A pod with users of its own
#   (hostUsers: false) is nobody on the node.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   equivalents:
#     - trivy:KSV-0020
#     - checkov:CKV_K8S_40
#     - kube-score:container-security-context-user-group-id
#     - kics:containers_run_with_low_uid
#     - kubesec:RunAsUser
package policies.workload.low_user_id

import data.lib.users
import data.lib.workload

deny contains finding if {
	not workload.own_users
	not workload.windows
	some context in workload.contexts
	id := context.spec.runAsUser
	id > 0
	id < 10000
	counts(context)
	finding := {
		"path": array.concat(context.path, ["runAsUser"]),
		"anchor": context.anchor,
		"message": sprintf("%s runs as user %v, which may be somebody else on the node", [context.who, id]),
	}
}

counts(context) if context.path != array.concat(workload.pod_path, ["securityContext"])

# What the pod says, where any container goes by it.
counts(_) if {
	some container in workload.containers
	not users.has_own(container)
}
