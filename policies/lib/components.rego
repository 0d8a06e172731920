# What a ConfigMap says of the configuration of a component of the nodes.
package lib.components

config := input.facts.component_config

kubelet if config.kind == "KubeletConfiguration"

proxy if config.kind == "KubeProxyConfiguration"

value(field, unset) := object.get(config.settings, field, unset)

told(field, message) := {
	"path": ["data", config.key],
	"anchor": field,
	"message": message,
}
