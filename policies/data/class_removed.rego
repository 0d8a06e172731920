# METADATA
# title: A change takes away that data is personal
# description: |
#   Before this change something said that the workload holds personal data, and after it nothing
#   does. From then on nobody is asked who reaches the data, though it may be there as before. Only a
#   change shows this: it is told by `auditor diff` and by the webhook.
# related_resources:
#   - https://csrc.nist.gov/pubs/sp/800/122/final
# custom:
#   severity: high
#   profile: essential
#   waivable: central
#   fix: manual
#   facts: [removed_classes]
package policies.data.class_removed

import data.lib.text

removed := input.facts.removed_classes

deny contains finding if {
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("no longer says that it holds %s, as it did before this change by %s", [
			text.joined(" and ", removed.classes), removed.said_by,
		]),
		"fix": {"title": "say it again, or let the owner of the data confirm that it is gone", "safety": "manual"},
	}
}
