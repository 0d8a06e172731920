# METADATA
# title: Webhook that is waited for longer than ten seconds
# description: |
#   Every request that it is asked about can take that long, and those of controllers wait behind each
#   other: a slow webhook slows the cluster down before anybody sees why. Without a number it is ten.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [ValidatingWebhookConfiguration, MutatingWebhookConfiguration]
package policies.admission.waits_long

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	is_number(webhook.timeoutSeconds)
	webhook.timeoutSeconds > 10
	finding := {
		"path": ["webhooks", index, "timeoutSeconds"],
		"anchor": webhook.name,
		"message": sprintf("'%s' is waited for %v seconds", [webhook.name, webhook.timeoutSeconds]),
		"fix": {
			"title": "wait ten seconds at most",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["webhooks", index, "timeoutSeconds"], "value": 10}],
		},
	}
}
