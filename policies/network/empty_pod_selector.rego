# METADATA
# title: NetworkPolicy for every pod of its namespace
# description: |
#   An empty podSelector means every pod of the namespace. With rules that admit somebody, the policy
#   admits them to pods that its author may not have thought of.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     A policy for a whole namespace is how a default is written, and small namespaces need no other one.
#     Two checks of other tools ask for the opposite of what this one finds: a default that denies all.
#   fix: manual
#   kinds: [NetworkPolicy]
#   equivalents:
#     - trivy:KSV-0038
#     - kyverno:restrict-networkpolicy-empty-podselector
package policies.network.empty_pod_selector

deny contains finding if {
	chooses_all
	some direction in ["ingress", "egress"]
	is_array(input.object.spec[direction])
	count(input.object.spec[direction]) > 0
	finding := {
		"path": ["spec", "podSelector"],
		"anchor": direction,
		"message": sprintf("its %s rules hold for every pod of the namespace", [direction]),
	}
}

chooses_all if {
	is_object(input.object.spec)
	selector := object.get(input.object.spec, "podSelector", {})
	selector in [{}, null, {"matchLabels": {}}]
}
