# METADATA
# title: Service opens a port of every node
# description: |
#   A NodePort is open on every node, to whoever reaches any of them, and past the rules of an Ingress
#   or a load balancer. Where nodes have public addresses, so has the Service.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   kinds: [Service]
#   equivalents:
#     - kube-linter:exposed-services
#     - kics:service_type_is_nodeport
#     - kyverno:restrict-node-port
#     - gatekeeper:block-nodeport-services
#     - kube-score:service-type
#     - popeye:POP-1104
package policies.network.node_port

deny contains finding if {
	input.object.spec.type == "NodePort"
	finding := {
		"path": ["spec", "type"],
		"message": "opens a port of every node",
		"fix": {"title": "serve the cluster alone", "safety": "unsafe", "patch": array.concat(type, ports)},
	}
}

type := [{"op": "replace", "path": ["spec", "type"], "value": "ClusterIP"}]

# The API server takes neither of a ClusterIP.
ports := array.concat(numbers, policy)

numbers := [step | some step in removals]

removals contains step if {
	is_array(input.object.spec.ports)
	some index, port in input.object.spec.ports
	is_object(port)
	"nodePort" in object.keys(port)
	step := {"op": "remove", "path": ["spec", "ports", index, "nodePort"]}
}

policy := [step |
	some field in ["externalTrafficPolicy"]
	field in object.keys(input.object.spec)
	step := {"op": "remove", "path": ["spec", field]}
]
