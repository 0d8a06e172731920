# METADATA
# title: Rule on the port of a Service
# description: |
#   NetworkPolicies see the pod and its port, after the Service has led there. A rule on the port of the
#   Service, where that is another one, admits nothing that anybody asks for.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
# custom:
#   severity: high
#   fix: deterministic
#   kinds: [NetworkPolicy]
#   facts: [policy_effects]
package policies.network.service_port_in_rule

import data.lib.netpol
import data.lib.text

deny contains finding if {
	some entry in input.facts.policy_effects.service_ports
	finding := {
		"path": entry.path,
		"anchor": sprintf("%s port %d", [netpol.rule(entry.path), entry.path[4] + 1]),
		"message": sprintf("%d is the port of Service %s and not of its pods, which listen on %s: %s admits nothing there", [
			entry.port, entry.service, ports(entry), netpol.rule(entry.path),
		]),
		"evidence": [{
			"message": sprintf("port %d of the Service leads to port %s of its pods", [entry.port, ports(entry)]),
			"object": entry.object,
			"path": entry.place,
		}],
		"fix": fix(entry),
	}
}

ports(entry) := text.joined(", ", [sprintf("%d", [port]) | some port in entry.pod_ports])

# Whom the rule names is let in by that, and was not before.
fix(entry) := {
	"title": "name the port of the pods",
	"safety": "unsafe",
	"patch": [{"op": "replace", "path": entry.path, "value": entry.pod_ports[0]}],
} if count(entry.pod_ports) == 1

fix(entry) := {"title": "name the ports of the pods", "safety": "manual"} if count(entry.pod_ports) > 1
