# METADATA
# title: Webhook that is asked about everything
# description: |
#   Every write to the API server then waits for it, those of the parts of the cluster among them: nodes
#   that report, leaders that are elected. Where it does not answer, the cluster stands still.
# related_resources:
#   - https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [ValidatingWebhookConfiguration, MutatingWebhookConfiguration]
#   equivalents: [kubescape:C-0036, kubescape:C-0039]
package policies.admission.stops_everything

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	object.get(webhook, "failurePolicy", "Fail") == "Fail"
	some position, rule in webhook.rules
	"*" in rule.apiGroups
	some resource in rule.resources
	resource in ["*", "*/*"]
	count(object.get(webhook, "matchConditions", [])) == 0
	not has_selector(webhook)
	finding := {
		"path": ["webhooks", index, "rules", position],
		"anchor": webhook.name,
		"message": sprintf("'%s' is asked about everything: without an answer nothing is written", [webhook.name]),
	}
}

has_selector(webhook) if {
	some selector in ["namespaceSelector", "objectSelector"]
	some field in ["matchLabels", "matchExpressions"]
	count(webhook[selector][field]) > 0
}
