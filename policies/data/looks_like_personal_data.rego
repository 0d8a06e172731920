# METADATA
# title: Looks like personal data that nobody declared
# description: |
#   Names, keys or what asks it hint that this workload holds personal data, and nothing says whether
#   it does. Until somebody says so, nothing here is asked about its isolation. This is a question, no
#   finding of fault: say what it holds (auditor/data: pii or spi), or that it holds none (none).
#   `auditor classify` writes such declarations for all of them, to be reviewed.
# related_resources:
#   - https://csrc.nist.gov/pubs/sp/800/122/final
# custom:
#   severity: info
#   profile: recommended
#   fix: manual
#   facts: [likeness]
package policies.data.looks_like_personal_data

import data.lib.text

likeness := input.facts.likeness

deny contains finding if {
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("looks like it holds %s, and nothing says so: %s", [
			text.joined(" and ", likeness.data), told(likeness.clues),
		]),
		"evidence": likeness.clues,
		"fix": {"title": "say what it holds: auditor/data: pii, spi or none", "safety": "manual"},
	}
}

deny contains finding if {
	some one in likeness.behind
	finding := {
		"path": ["metadata", "name"],
		"anchor": one.name,
		"message": sprintf("keeps what it holds in %s, which looks like it holds %s, and nothing says so", [
			one.name, text.joined(" and ", likeness.data),
		]),
		"evidence": [{"message": sprintf("names a Service of %s", [one.name]), "object": one.object, "path": one.path}],
		"fix": {"title": sprintf("say on %s what it holds: auditor/data", [one.name]), "safety": "manual"},
	}
}

told(clues) := clues[0].message if count(clues) == 1

told(clues) := sprintf("%s, and %d more", [clues[0].message, count(clues) - 1]) if count(clues) > 1
