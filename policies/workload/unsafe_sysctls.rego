# METADATA
# title: Kernel settings beyond the safe set
# description: |
#   Kernel settings that are not known to stay inside of their pod can weaken or starve every pod of
#   the node. The kubelet refuses them unless its administrator lets them through.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
#   - https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   controls: [pss-baseline/sysctls, pss-restricted/sysctls]
#   equivalents:
#     - trivy:KSV-0026
#     - kube-linter:unsafe-sysctls
#     - kics:cluster_allows_unsafe_sysctls
#     - kyverno:restrict-sysctls
#     - gatekeeper:forbidden-sysctls
#     - kubescape:C-0211
package policies.workload.unsafe_sysctls

import data.lib.workload

# Setting → the first version whose standard has it.
safe := {
	"kernel.shm_rmid_forced": 100,
	"net.ipv4.ip_local_port_range": 100,
	"net.ipv4.tcp_syncookies": 100,
	"net.ipv4.ping_group_range": 100,
	"net.ipv4.ip_unprivileged_port_start": 100,
	"net.ipv4.ip_local_reserved_ports": 127,
	"net.ipv4.tcp_keepalive_time": 129,
	"net.ipv4.tcp_fin_timeout": 129,
	"net.ipv4.tcp_keepalive_intvl": 129,
	"net.ipv4.tcp_keepalive_probes": 129,
	"net.ipv4.tcp_rmem": 132,
	"net.ipv4.tcp_wmem": 132,
	"net.ipv4.tcp_slow_start_after_idle": 137,
	"net.ipv4.tcp_notsent_lowat": 137,
}

list := workload.pod.securityContext.sysctls if is_array(workload.pod.securityContext.sysctls)

list_path := array.concat(workload.pod_path, ["securityContext", "sysctls"])

deny contains finding if {
	some index, setting in list
	is_object(setting)
	not is_safe(setting)
	name := object.get(setting, "name", "")
	finding := {
		"path": array.concat(list_path, [index, "name"]),
		"anchor": sprintf("%v", [name]),
		"message": sprintf("sets '%v', which is not among the safe kernel settings", [name]),
		"fix": {"title": "leave it to the node", "safety": "unsafe", "patch": [without_unsafe]},
	}
}

is_safe(setting) if safe[setting.name] <= input.kubernetes

left := [setting | some setting in list; is_safe(setting)]

# The whole list at once: several fixes of it are the same step.
without_unsafe := {"op": "remove", "path": list_path} if count(left) == 0

without_unsafe := {"op": "replace", "path": list_path, "value": left} if count(left) > 0
