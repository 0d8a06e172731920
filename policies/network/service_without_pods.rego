# METADATA
# title: Service that selects no pod
# description: |
#   Nothing has all the labels that the selector asks for, so that whoever asks the Service gets no
#   answer. Pods that an operator makes and nothing here declares are not seen.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#services-in-kubernetes
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Service]
#   facts: [service]
#   admission: grace
#   equivalents:
#     - kubescape:C-0293
#     - kube-linter:dangling-service
#     - kube-score:service-targets-pod
#     - kics:service_does_not_target_pod
#     - popeye:POP-1100
package policies.network.service_without_pods

deny contains finding if {
	input.facts.service.selects
	count(input.facts.service.pods) == 0
	finding := {
		"path": ["spec", "selector"],
		"message": "selects no pod of its namespace",
	}
}
