# METADATA
# title: Shares a namespace of its node
# description: |
#   A pod in the network, process or IPC namespace of its node stands behind the walls that hold
#   others: it reaches what listens on the node's loopback, sees and signals every process there,
#   reads their memory segments, and no NetworkPolicy holds it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   severity: high
#   profile: essential
#   fix: deterministic
#   controls: [pss-baseline/host-namespaces, pss-restricted/host-namespaces, cis-2.0.1/5.2.3, cis-2.0.1/5.2.4, cis-2.0.1/5.2.5]
#   equivalents:
#     - kubescape:C-0038
#     - kubescape:C-0275
#     - kubescape:C-0194
#     - kubescape:C-0276
#     - kubescape:C-0195
#     - kubescape:C-0041
#     - kubescape:C-0196
#     - trivy:KSV-0010
#     - trivy:KSV-0008
#     - trivy:KSV-0009
#     - checkov:CKV_K8S_17
#     - checkov:CKV_K8S_1
#     - checkov:CKV_K8S_18
#     - checkov:CKV_K8S_3
#     - checkov:CKV_K8S_19
#     - checkov:CKV_K8S_4
#     - kube-linter:host-pid
#     - kube-linter:host-ipc
#     - kube-linter:host-network
#     - polaris:hostPIDSet
#     - polaris:hostIPCSet
#     - polaris:hostNetworkSet
#     - kubeaudit:NamespaceHostPIDTrue
#     - kubeaudit:NamespaceHostIPCTrue
#     - kubeaudit:NamespaceHostNetworkTrue
#     - kics:shared_host_pid_namespace
#     - kics:shared_host_ipc_namespace
#     - kics:shared_host_network_namespace
#     - kyverno:disallow-host-namespaces
#     - gatekeeper:host-namespaces
#     - gatekeeper:host-network-ports
#     - kubesec:HostPID
#     - kubesec:HostIPC
#     - kubesec:HostNetwork
#     - prowler:core_minimize_hostPID_containers
#     - prowler:core_minimize_hostIPC_containers
#     - prowler:core_minimize_hostNetwork_containers
package policies.workload.host_namespaces

import data.lib.workload

namespaces := {"hostNetwork": "network", "hostPID": "process", "hostIPC": "IPC"}

deny contains finding if {
	some field, namespace in namespaces
	workload.pod[field] == true
	path := array.concat(workload.pod_path, [field])
	finding := object.union(
		{
			"path": path,
			"anchor": field,
			"message": sprintf("shares the %s namespace of its node", [namespace]),
		},
		fix(field, path),
	)
}

fix(field, path) := {"fix": {
	"title": "give it a namespace of its own",
	"safety": "unsafe",
	"patch": [{"op": "replace", "path": path, "value": false}],
}} if not needed(field)

fix(field, _) := {} if needed(field)

# The API server lets a HostProcess pod have no network of its own.
needed(field) if {
	field == "hostNetwork"
	some context in workload.contexts
	context.spec.windowsOptions.hostProcess == true
}
