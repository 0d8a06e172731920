# What policies on admission webhooks have in common.
package lib.webhooks

import data.lib.written

# Whether it is asked about some objects alone, by labels of theirs or of their namespace.
chooses(webhook) if spares(webhook)

chooses(webhook) if written.size(webhook.namespaceSelector.matchExpressions) > 0

# Whether it leaves some objects alone without which a cluster does not come back: those of a few
# other namespaces, by their names, do not count.
spares(webhook) if {
	some field in ["matchLabels", "matchExpressions"]
	written.size(webhook.objectSelector[field]) > 0
}

spares(webhook) if written.size(webhook.namespaceSelector.matchLabels) > 0

spares(webhook) if {
	some expression in written.list(webhook, ["namespaceSelector", "matchExpressions"])
	not names_others(expression)
}

spares(webhook) if count(written.list(webhook, "matchConditions")) > 0

names_others(expression) if {
	is_object(expression)
	expression.key == "kubernetes.io/metadata.name"
	expression.operator == "NotIn"
	not "kube-system" in written.list(expression, "values")
}
