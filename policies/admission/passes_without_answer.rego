# METADATA
# title: Webhook that lets pass what it was not asked about
# description: |
#   Where the webhook does not answer in time, the request goes through as if it had been allowed:
#   whoever keeps it from answering has got past it.
# related_resources:
#   - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy
# custom:
#   severity: low
#   profile: optional
#   contested: >-
#     a webhook that stops the cluster whenever it is down is the greater harm to many, and what passed can
#     be found by an audit
#   fix: deterministic
#   kinds: [ValidatingWebhookConfiguration]
package policies.admission.passes_without_answer

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	webhook.failurePolicy == "Ignore"
	finding := {
		"path": ["webhooks", index, "failurePolicy"],
		"anchor": webhook.name,
		"message": sprintf("'%s' lets pass whatever it does not answer", [webhook.name]),
		"fix": {
			"title": "let nothing pass without an answer",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["webhooks", index, "failurePolicy"], "value": "Fail"}],
		},
	}
}
