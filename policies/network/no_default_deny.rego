# METADATA
# title: Namespace that new pods are open in
# description: |
#   NetworkPolicies hold for the pods that they select. Where none selects every pod of the namespace,
#   a pod that is started tomorrow, or whose labels change, accepts all traffic. A policy with an empty
#   podSelector and no rules keeps it closed until somebody admits its clients.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-ingress-traffic
# custom:
#   severity: medium
#   profile: strict
#   fix: generated
#   kinds: [Namespace]
#   facts: [namespace_isolation]
#   admission: grace
#   equivalents:
#     - kubeaudit:MissingDefaultDenyIngressNetworkPolicy
#     - kyverno:add-network-policy
package policies.network.no_default_deny

import data.lib.namespaces
import data.lib.text

isolation := input.facts.namespace_isolation

deny contains finding if {
	not namespaces.is_system
	isolation.policies > 0
	not "Ingress" in isolation.every_pod
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("%s for every pod: a new one accepts all traffic%s", [none_holds, today]),
		"fix": {
			"title": "deny by default, and admit who is known to ask",
			"safety": "unsafe",
			"synthesize": "deny_by_default",
		},
	}
}

none_holds := "its one NetworkPolicy does not hold" if isolation.policies == 1

none_holds := sprintf("none of its %d NetworkPolicies holds", [isolation.policies]) if isolation.policies > 1

today := "" if isolation.open == 0

today := sprintf(", as %s does today", [isolation.names[0]]) if isolation.open == 1

today := sprintf(", as %d of its workloads do today, %s among them", [isolation.open, text.joined(", ", isolation.names)]) if isolation.open > 1
