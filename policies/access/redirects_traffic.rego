# METADATA
# title: Rights to lead traffic elsewhere
# description: |
#   Whoever writes the endpoints of a Service, or its status, leads what is meant for it to an address
#   of their choice, of another namespace too (CVE-2021-25740). Controllers of the cluster write them;
#   the default roles give it to nobody since 1.22.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#write-access-for-endpoints
# custom:
#   severity: low
#   profile: strict
#   waivable: central
#   fix: manual
#   kinds: [Role, ClusterRole]
#   facts: [role_powers]
#   equivalents:
#     - checkov:CKV2_K8S_4
#     - gatekeeper:block-endpoint-edit-default-role
#     - kyverno:restrict-edit-for-endpoints
package policies.access.redirects_traffic

import data.lib.rights

does := {
	"edits-endpoints": "write the endpoints of Services",
	"edits-service-status": "write the status of Services",
}

deny contains finding if {
	some name, words in does
	rights.would_give(name)
	finding := object.union(rights.finding(name, words), {"severity": "low", "anchor": name})
}
