# METADATA
# title: Controller manager listens on every address
# description: |
#   Metrics and health are for who is on the node. On every address they are open to the network of
#   the nodes, and so is every fault in them.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0150
#     - trivy:KCV-0039
#     - checkov:CKV_K8S_113
#     - prowler:controllermanager_bind_address
package policies.control_plane.controller_manager_address

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	not flags.value(manager, "bind-address", "0.0.0.0") in ["127.0.0.1", "::1", "localhost"]
	finding := object.union(flags.told(manager, "bind-address", "listens beyond the node"), {"fix": flags.setting_to(manager, "bind-address", "127.0.0.1")})
}
