# METADATA
# title: Webhook outside of the cluster
# description: |
#   What is written is sent to an address outside, Secrets among it if the rules say so, and the cluster
#   depends on whoever runs that. Told where it is no address of the control plane itself.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [ValidatingWebhookConfiguration, MutatingWebhookConfiguration]
#   parameters:
#     domain:
#       description: The domain of the cluster, in which the names of its Services are.
#       default: cluster.local
package policies.admission.outside_the_cluster

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	is_string(webhook.clientConfig.url)
	not is_inside(split(trim_prefix(webhook.clientConfig.url, "https://"), "/")[0])
	finding := {
		"path": ["webhooks", index, "clientConfig", "url"],
		"anchor": webhook.name,
		"message": sprintf("'%s' sends what is written out of the cluster", [webhook.name]),
	}
}

is_inside(address) if regex.match(`^(localhost|127[.]0[.]0[.]1|\[::1\])(:[0-9]+)?$`, address)

# Anything may be before the last parts of a name, and nothing after them.
is_inside(address) if {
	regex.match(`^[^:@]+(:[0-9]+)?$`, address)
	some end in [".svc", concat("", [".svc.", input.parameters.domain])]
	endswith(split(address, ":")[0], end)
}
