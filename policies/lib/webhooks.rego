# What policies on admission webhooks have in common.
package lib.webhooks

import data.lib.written

# Whether it is asked about some objects alone, by labels of theirs or of their namespace.
chooses(webhook) if {
	some selector in ["namespaceSelector", "objectSelector"]
	some field in ["matchLabels", "matchExpressions"]
	written.size(webhook[selector][field]) > 0
}

chooses(webhook) if count(written.list(webhook, "matchConditions")) > 0
