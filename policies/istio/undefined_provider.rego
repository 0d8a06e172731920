# METADATA
# title: CUSTOM with a provider that is not defined
# description: |
#   A CUSTOM policy whose provider is not among the extension providers of the mesh fails closed:
#   every request that it matches is refused. Recorded from Istio's own code and a real Envoy: with
#   `paths: [/admin*]`, /admin was refused to everybody, and the port of the database as well, where
#   paths mean nothing.
# related_resources:
#   - https://istio.io/latest/docs/tasks/security/authorization/authz-custom/
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
#   admission: grace
package policies.istio.undefined_provider

import data.lib.istio

deny contains finding if {
	istio.action == "CUSTOM"
	input.facts.mesh.known
	name := istio.spec.provider.name
	is_string(name)
	not name in input.facts.mesh.providers
	finding := {
		"path": ["spec", "provider", "name"],
		"message": sprintf("the mesh has no extension provider '%s': everything that the policy matches is refused", [name]),
	}
}
