# METADATA
# title: Server of an API that is not verified
# description: |
#   The API server takes whoever answers in its place for it, sends it what users ask of this API, with
#   their names and groups, and hands on what it says.
# related_resources:
#   - https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [APIService]
package policies.admission.api_not_verified

deny contains finding if {
	input.object.spec.insecureSkipTLSVerify == true
	finding := {
		"path": ["spec", "insecureSkipTLSVerify"],
		"message": "takes whoever answers for the server of this API",
	}
}
