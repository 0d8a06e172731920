# What hostPath volumes give of their node. Each volume is told of once: as the socket of a container
# runtime, as a sensitive directory, or as any other path.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.host_paths

volumes contains volume if {
	some index, spec in data.lib.workload.volumes
	source := spec.hostPath
	source != null
	name := data.lib.workload.named(spec, "hostPath")
	volume := {
		"name": name,
		"field": array.concat(data.lib.workload.pod_path, ["volumes", index, "hostPath"]),
		"source": source,
		"said": said(source),
		"path": normal(source),
	}
}

said(source) := sprintf("'%s'", [source.path]) if has_path(source)

said(source) := "a path" if not has_path(source)

has_path(source) if is_string(source.path)

# The path as the kernel goes it, without a slash at its end: the root of the node is empty. /var/run
# leads to /run on every distribution of today.
normal(source) := concat("/", array.concat([""], canonical(steps(source)))) if has_path(source)

normal(source) := "?" if not has_path(source)

steps(source) := [step |
	some step in split(source.path, "/")
	not step in {"", "."}
]

canonical(steps) := array.slice(steps, 1, count(steps)) if array.slice(steps, 0, 2) == ["var", "run"]

canonical(steps) := steps if array.slice(steps, 0, 2) != ["var", "run"]

sockets := [volume | some volume in volumes; is_socket(volume.path)]

sensitive := [volume |
	some volume in volumes
	not is_socket(volume.path)
	is_sensitive(volume)
]

plain := [volume |
	some volume in volumes
	not is_socket(volume.path)
	not is_sensitive(volume)
]

is_sensitive(volume) if holds_secrets(volume.path)

# What runs on the node, and how: to read it harms nobody, and drivers have to.
is_sensitive(volume) if {
	is_code(volume.path)
	some writer in writers
	writer.volume == volume.name
}

socket_names := {
	"containerd.sock", "crio.sock", "cri-dockerd.sock", "docker.sock", "dockershim.sock",
	"podman.sock",
}

# Where runtimes keep their sockets. Docker starts a containerd of its own below /run/docker.
socket_folders := {
	"/run/containerd", "/run/crio", "/run/docker", "/run/docker/containerd", "/run/k3s",
	"/run/k3s/containerd", "/run/podman", "/var/snap/microk8s/common/run",
}

is_socket(path) if path in socket_folders

is_socket(path) if {
	steps := split(path, "/")
	steps[count(steps) - 1] in socket_names
}

# Folders above secrets of the node or of its pods, or above its sockets.
above_secrets := {
	"", "/dev", "/etc", "/home", "/run", "/var", "/var/lib", "/var/lib/containerd",
	"/var/lib/containers", "/var/lib/docker", "/var/lib/docker/overlay2", "/var/lib/docker/volumes",
	"/var/lib/kubelet", "/var/lib/kubelet/pods",
}

# Secrets, whatever is mounted of them. Cloud providers leave credentials in some.
of_secrets := {
	"/etc/gshadow", "/etc/kubernetes", "/etc/rancher", "/etc/shadow", "/etc/ssh", "/etc/sudoers",
	"/etc/sudoers.d", "/proc", "/root", "/var/lib/cloud", "/var/lib/etcd", "/var/lib/kubelet/pki",
	"/var/lib/kubelet/kubeconfig", "/var/lib/rancher",
}

holds_secrets(path) if path in above_secrets

holds_secrets(path) if {
	some folder in of_secrets
	within(path, folder)
}

holds_secrets(path) if regex.match(`^/home/[^/]+(/[.](ssh|aws|azure|docker|kube|config/gcloud)(/.*)?)?$`, path)

# The home of what is started without one.
holds_secrets(path) if regex.match(`^/[.](ssh|aws|azure|docker|kube|config/gcloud)(/.*)?$`, path)

# Memory and disks.
holds_secrets(path) if regex.match(`^/dev/(mem|kmem|port|disk|mapper|dm-|nvme|sd[a-z]|vd[a-z]|xvd)`, path)

code := {
	"/bin", "/boot", "/etc/apparmor.d", "/etc/cni", "/etc/cron.d", "/etc/containerd", "/etc/crio",
	"/etc/docker", "/etc/ld.so.preload", "/etc/pam.d", "/etc/systemd", "/lib", "/lib64", "/opt/cni",
	"/sbin", "/sys", "/usr", "/var/spool/cron",
}

is_code(path) if {
	some folder in code
	within(path, folder)
}

within(path, folder) if path == folder

within(path, folder) if startswith(path, concat("", [folder, "/"]))

# Every mount that may write to its volume.
writers contains writer if {
	some container in data.lib.workload.containers
	is_array(container.spec.volumeMounts)
	some index, mount in container.spec.volumeMounts
	not mount.readOnly == true
	writer := {
		"volume": mount.name,
		"container": container,
		"path": array.concat(container.path, ["volumeMounts", index]),
	}
}
