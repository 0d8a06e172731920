# METADATA
# title: Rights to the proxy of nodes
# description: |
#   The proxy of a node leads to the API of its kubelet, which runs commands in every pod there and
#   asks for nothing more; get is enough. What monitors need is in nodes/metrics, nodes/stats and
#   nodes/healthz. A right to every resource, which gives this as well, is told as such.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   severity: medium
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - kubescape:C-0279
#     - trivy:KSV-0047
#     - checkov:CKV2_K8S_2
#     - kyverno:restrict-clusterrole-nodesproxy
#     - prowler:rbac_minimize_node_proxy_subresource_access
package policies.access.enters_nodes

import data.lib.rights

deny contains finding if {
	rights.gives("enters-nodes")
	not rights.told.powers["enters-nodes"].by_wildcard
	finding := rights.everywhere("enters-nodes", "run commands in every pod through the kubelet of its node")
}
