# METADATA
# title: Personal data may leave for an address that nobody declared
# description: |
#   A workload that holds personal data asks an address outside of the cluster. What is sent there is
#   out of reach of every network policy, and somebody has to answer for it: declare the store in
#   .auditor.yaml (data.external) with its class and its owner, or take the address away.
# related_resources:
#   - https://gdpr-info.eu/art-28-gdpr/
# custom:
#   severity: medium
#   profile: recommended
#   waivable: central
#   fix: manual
#   facts: [stores]
package policies.data.undeclared_external_store

import data.lib.text

stores := input.facts.stores

deny contains finding if {
	count(stores.undeclared) > 0
	finding := {
		"path": ["metadata", "name"],
		"message": sprintf("holds %s, and asks %s, which nobody declared as a store of such data", [
			text.joined(" and ", stores.data), asked,
		]),
		"evidence": [seen |
			some one in stores.undeclared
			seen := {"message": sprintf("names %s", [one.address]), "object": one.object, "path": one.path}
		],
		"fix": {"title": "declare it in .auditor.yaml under data.external, with class and owner", "safety": "manual"},
	}
}

first := stores.undeclared[0].address

asked := first if count(stores.undeclared) == 1

asked := sprintf("%s and another address outside of the cluster", [first]) if count(stores.undeclared) == 2

asked := sprintf("%s and %d other addresses outside of the cluster", [first, count(stores.undeclared) - 1]) if {
	count(stores.undeclared) > 2
}
