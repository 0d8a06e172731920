# METADATA
# title: Webhook that is asked about everything
# description: |
#   Every write to the API server then waits for it, those of the parts of the cluster among them: nodes
#   that report, leaders that are elected. Where it does not answer, the cluster stands still, also
#   where it spares a few namespaces by name and kube-system is none of them.
# related_resources:
#   - https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [ValidatingWebhookConfiguration, MutatingWebhookConfiguration]
#   equivalents: [kubescape:C-0036, kubescape:C-0039]
package policies.admission.stops_everything

import data.lib.webhooks
import data.lib.written

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	is_object(webhook)
	object.get(webhook, "failurePolicy", "Fail") == "Fail"
	some position, rule in written.list(webhook, "rules")
	"*" in written.list(rule, "apiGroups")
	some resource in written.list(rule, "resources")
	resource in ["*", "*/*"]
	not webhooks.spares(webhook)
	finding := {
		"path": ["webhooks", index, "rules", position],
		"anchor": webhook.name,
		"message": sprintf("'%s' is asked about everything: without an answer nothing is written", [webhook.name]),
	}
}
