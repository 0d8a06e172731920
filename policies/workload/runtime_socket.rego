# METADATA
# title: Socket of the container runtime
# description: |
#   Whoever speaks to the container runtime starts a privileged container with the whole node in
#   it: the socket is root on the node, and a read-only mount does not change that. To build images
#   there are builders without a runtime; to watch containers there are the API and the kubelet.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   controls: [pss-baseline/host-path, pss-restricted/host-path, pss-restricted/volume-types, cis-2.0.1/5.2.11]
#   equivalents:
#     - kubescape:C-0074
#     - trivy:KSV-0006
#     - checkov:CKV_K8S_27
#     - kube-linter:docker-sock
#     - kubeaudit:SensitivePathsMounted
#     - kics:docker_daemon_socket_is_exposed_to_containers
#     - kyverno:disallow-cri-sock-mount
#     - kyverno:docker-socket-requires-label
#     - kubesec:DockerSock
#     - kubescape:C-0048
#     - kubescape:C-0203
#     - trivy:KSV-0023
#     - polaris:hostPathSet
#     - kics:non_kube_system_pod_with_host_mount
#     - kics:psp_with_unrestricted_access_to_host_path
#     - kyverno:disallow-host-path
#     - kyverno:limit-hostpath-vols
#     - kyverno:remove-hostpath-volumes
#     - gatekeeper:host-filesystem
#     - prowler:core_minimize_hostpath_volume_mounts
package policies.workload.runtime_socket

import data.lib.host_paths

deny contains finding if {
	some volume in host_paths.sockets
	finding := {
		"path": volume.field,
		"anchor": volume.name,
		"message": sprintf("volume '%s' mounts the container runtime's socket: %s of the node", [
			volume.name, volume.said,
		]),
	}
}
