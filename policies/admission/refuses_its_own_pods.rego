# METADATA
# title: Webhook that is asked about its own pods
# description: |
#   Where the webhook does not answer, no pod is made, its own included: once all of its pods are gone,
#   none comes back, and the cluster makes no pod until somebody deletes the configuration.
# related_resources:
#   - https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   kinds: [ValidatingWebhookConfiguration, MutatingWebhookConfiguration]
#   equivalents: [kubescape:C-0036, kubescape:C-0039]
package policies.admission.refuses_its_own_pods

import data.lib.webhooks
import data.lib.written

deny contains finding if {
	is_array(input.object.webhooks)
	some index, webhook in input.object.webhooks
	is_object(webhook)
	object.get(webhook, "failurePolicy", "Fail") == "Fail"
	is_object(webhook.clientConfig.service)
	namespace := webhook.clientConfig.service.namespace
	some rule in written.list(webhook, "rules")
	makes_pods(rule)
	not webhooks.chooses(webhook)
	finding := {
		"path": ["webhooks", index, "name"],
		"anchor": webhook.name,
		"message": sprintf("'%s' is asked about its own pods: without an answer none of them comes back", [webhook.name]),
		"fix": {
			"title": "spare its own namespace",
			"safety": "unsafe",
			"patch": [{
				"op": "add",
				"path": ["webhooks", index, "namespaceSelector"],
				"value": {"matchExpressions": [{
					"key": "kubernetes.io/metadata.name",
					"operator": "NotIn",
					"values": [namespace],
				}]},
			}],
		},
	}
}

makes_pods(rule) if {
	some group in written.list(rule, "apiGroups")
	group in ["", "*"]
	some resource in written.list(rule, "resources")
	resource in ["pods", "*", "*/*"]
	some operation in written.list(rule, "operations")
	operation in ["CREATE", "*"]
	object.get(rule, "scope", "*") != "Cluster"
}
