# METADATA
# title: Namespace without network policies
# description: |
#   By default every pod accepts traffic from every other pod. In a namespace without any NetworkPolicy
#   whoever breaks into one pod of the cluster reaches all of them. Namespaces of Kubernetes itself are
#   not judged, nor those where policies of another make may isolate.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies
# custom:
#   severity: medium
#   profile: strict
#   fix: generated
#   kinds: [Namespace]
#   facts: [namespace_isolation]
#   admission: grace
#   equivalents:
#     - kubescape:C-0049
#     - kubescape:C-0054
#     - kubescape:C-0206
package policies.network.namespace_without_policies

import data.lib.namespaces
import data.lib.text

isolation := input.facts.namespace_isolation

deny contains finding if {
	not namespaces.is_system
	isolation.policies == 0
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("has no NetworkPolicy: %s", [who]),
		"fix": {
			"title": "deny by default, and admit who is known to ask",
			"safety": "unsafe",
			"synthesize": "deny_by_default",
		},
	}
}

who := "whatever pod comes accepts all traffic" if isolation.open == 0

who := sprintf("its workload %s accepts all traffic", [isolation.names[0]]) if isolation.open == 1

who := sprintf("its %d workloads accept all traffic, %s among them", [isolation.open, text.joined(", ", isolation.names)]) if isolation.open > 1
