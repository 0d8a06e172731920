# METADATA
# title: NetworkPolicy that selects no pod
# description: |
#   The podSelector of a NetworkPolicy means pods of its own namespace. One that means none of them
#   protects nothing: most often a label is written in another way than on the pods, or the policy is in
#   another namespace. In files nothing is said of namespaces without any workload, or where an operator
#   may make the pods.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_effects]
#   admission: grace
#   equivalents:
#     - kubescape:C-0299
#     - kube-linter:dangling-networkpolicy
#     - kube-score:networkpolicy-targets-pod
#     - popeye:POP-1200
#     - kics:network_policy_is_not_targeting_any_pod
package policies.network.selects_no_pod

deny contains finding if {
	nobody := input.facts.policy_effects.nobody
	nobody != null
	finding := {
		"path": ["spec", "podSelector"],
		"message": sprintf("selects no pod of namespace %s, and so protects nothing%s", [namespace, hint(nobody)]),
		"evidence": evidence(nobody),
	}
}

namespace := input.object.metadata.namespace if is_string(input.object.metadata.namespace)

namespace := "default" if not has_namespace

has_namespace if is_string(input.object.metadata.namespace)

hint(nobody) := "" if nobody.name == ""

hint(nobody) := sprintf("; did you mean '%s', as %s has it?", [nobody.hint, nobody.name]) if nobody.hint != ""

hint(nobody) := sprintf(": it names no namespace, and %s, which has these labels, is in another one", [nobody.name]) if {
	nobody.hint == ""
	nobody.name != ""
}

evidence(nobody) := [] if nobody.name == ""

evidence(nobody) := [{
	"message": sprintf("%s may be meant", [nobody.name]),
	"object": nobody.object,
	"path": ["metadata", "name"],
}] if nobody.name != ""
