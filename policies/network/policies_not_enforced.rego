# METADATA
# title: Network policy without effect
# description: |
#   A NetworkPolicy does nothing by itself: the network plugin has to enforce it. Flannel, the older
#   kindnet and others forward alone, and the API server takes the object without a word. Whoever
#   wrote it believes that it protects.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
#   - https://github.com/flannel-io/flannel/blob/master/Documentation/netpol.md
# custom:
#   severity: high
#   profile: recommended
#   waivable: central
#   fix: none
#   kinds: [NetworkPolicy]
#   facts: [enforcement]
#   admission: grace
package policies.network.policies_not_enforced

enforcement := input.facts.enforcement

deny contains finding if {
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("has no effect: %s", [why]),
		"evidence": enforcement.evidence,
	}
}

why := sprintf("the network of this cluster (%s) enforces none", [enforcement.product]) if enforcement.product != ""

why := "nothing enforces network policies here, as is declared" if enforcement.product == ""
