# METADATA
# title: Service port leads to a name that no pod has
# description: |
#   A targetPort that is a name is looked up in each pod behind the Service, among the ports of its
#   containers with the same protocol. Where no pod has it, nothing answers on this port.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [service]
#   admission: grace
#   equivalents: [popeye:POP-1106]
package policies.network.service_port_without_name

deny contains finding if {
	some port in input.facts.service.nameless
	finding := {
		"path": port.path,
		"anchor": port.name,
		"message": sprintf("no pod behind it has a port '%s' for %s", [port.name, port.protocol]),
	}
}
