# METADATA
# title: May change its own programs
# description: |
#   With a read-only root filesystem nobody who breaks in can change the programs of the image or
#   leave new ones. Strict alone asks: many programs write where their images put them, and have to be
#   tried. The fix gives each container an empty /tmp of its own, of 64Mi, so that it cannot fill the
#   disk of the node; whatever else it writes to needs a volume as well. Of a privileged container
#   nothing is asked: it can mount what it likes.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   controls: [cis-2.0.1/5.6.3]
#   equivalents:
#     - kubescape:C-0017
#     - trivy:KSV-0014
#     - checkov:CKV_K8S_22
#     - kube-linter:no-read-only-root-fs
#     - polaris:notReadOnlyRootFilesystem
#     - kube-score:container-security-context-readonlyrootfilesystem
#     - kubeaudit:ReadOnlyRootFilesystemNil
#     - kubeaudit:ReadOnlyRootFilesystemFalse
#     - kics:root_container_not_mounted_as_read_only
#     - kyverno:require-ro-rootfs
#     - gatekeeper:read-only-root-filesystem
#     - kubesec:ReadOnlyRootFilesystem
#     - prowler:core_readonly_root_filesystem_enabled
package policies.workload.writable_root_filesystem

import data.lib.workload

deny contains finding if {
	not workload.windows
	some container in workload.containers
	not workload.privileged(container)
	not container.spec.securityContext.readOnlyRootFilesystem == true
	finding := object.union(
		{
			"path": place(container),
			"anchor": workload.name(container),
			"message": sprintf("container '%s' may write to its root filesystem", [workload.name(container)]),
		},
		fix(container),
	)
}

fix(container) := {"fix": {
	"title": "make it read-only, beside an empty /tmp of 64Mi: what else it writes needs a volume, so try it",
	"safety": "unsafe",
	"patch": array.concat(
		[{"op": "add", "path": switch(container), "value": true}],
		scratch(container),
	),
}} if is_fixable(container)

fix(container) := {} if not is_fixable(container)

is_fixable(container) if has_tmp(container)

is_fixable(container) if may_have_volume(container)

# A volume of this name has to be allowed, and not there yet.
may_have_volume(container) if {
	is_string(container.spec.name)
	regex.match(`^[a-z0-9]([-a-z0-9]{0,57}[a-z0-9])?$`, container.spec.name)
	not volume(container) in volume_names
}

volume_names contains name if {
	some spec in workload.volumes
	name := spec.name
}

switch(container) := array.concat(container.path, ["securityContext", "readOnlyRootFilesystem"])

place(container) := switch(container) if is_off(container)

place(container) := workload.place(container) if not is_off(container)

is_off(container) if container.spec.securityContext.readOnlyRootFilesystem == false

# Of its own: what one container leaves in /tmp is not for another.
volume(container) := concat("-", ["tmp", workload.name(container)])

scratch(container) := [] if has_tmp(container)

scratch(container) := array.concat(volume_step(container), [mount_step(container)]) if not has_tmp(container)

has_tmp(container) if {
	is_array(container.spec.volumeMounts)
	some mount in container.spec.volumeMounts
	mount.mountPath in {"/tmp", "/tmp/"}
}

mount_step(container) := step if {
	not is_array(object.get(container.spec, "volumeMounts", null))
	step := {
		"op": "add",
		"path": array.concat(container.path, ["volumeMounts"]),
		"value": [tmp(container)],
	}
}

mount_step(container) := step if {
	is_array(object.get(container.spec, "volumeMounts", null))
	step := {
		"op": "add",
		"path": array.concat(container.path, ["volumeMounts", "-"]),
		"value": tmp(container),
	}
}

tmp(container) := {"name": volume(container), "mountPath": "/tmp"}

# The whole list at once where there is none, so that several fixes of it are the same step.
volume_step(container) := [{
	"op": "add",
	"path": array.concat(workload.pod_path, ["volumes", "-"]),
	"value": {"name": volume(container), "emptyDir": {"sizeLimit": "64Mi"}},
}] if has_volumes

volume_step(_) := [{
	"op": "add",
	"path": array.concat(workload.pod_path, ["volumes"]),
	"value": [{"name": volume(other), "emptyDir": {"sizeLimit": "64Mi"}} |
		some other in workload.containers
		not workload.privileged(other)
		not other.spec.securityContext.readOnlyRootFilesystem == true
		not has_tmp(other)
		may_have_volume(other)
	],
}] if not has_volumes

has_volumes if is_array(object.get(workload.pod, "volumes", null))
