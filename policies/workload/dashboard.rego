# METADATA
# title: Kubernetes Dashboard
# description: |
#   The Dashboard gives whoever reaches it what its service account or their token may do, in a
#   browser; many clusters were taken over through one. Where it is needed, it belongs behind
#   authentication of its own and a NetworkPolicy, with an account that only reads. Another pod under
#   its account may do what it may, and reads its secrets.
# related_resources:
#   - https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/
# custom:
#   severity: low
#   profile: recommended
#   fix: manual
#   equivalents: [checkov:CKV_K8S_33, kics:dashboard_is_enabled, kubescape:C-0014]
package policies.workload.dashboard

import data.lib.images
import data.lib.workload

deny contains finding if {
	some container in workload.containers
	is_string(container.spec.image)
	is_dashboard(images.repository(container.spec.image))
	finding := {
		"path": array.concat(container.path, ["image"]),
		"anchor": workload.name(container),
		"message": sprintf("container '%s' is the Kubernetes Dashboard", [workload.name(container)]),
	}
}

is_dashboard(repository) if regex.match(`(^|/)kubernetesui/dashboard(-(api|auth|web))?$`, repository)

# Before 2.0, one image for each processor.
is_dashboard(repository) if regex.match(`(^|/)kubernetes-dashboard(-(amd64|arm|arm64|ppc64le|s390x))?$`, repository)

deny contains finding if {
	workload.pod.serviceAccountName == "kubernetes-dashboard"
	not has_a_part
	finding := {
		"path": array.concat(workload.pod_path, ["serviceAccountName"]),
		"anchor": "",
		"message": "runs under the account of the Kubernetes Dashboard",
	}
}

# The Dashboard itself, or what measures for it.
has_a_part if {
	some container in workload.containers
	is_string(container.spec.image)
	is_part(images.repository(container.spec.image))
}

is_part(repository) if is_dashboard(repository)

is_part(repository) if regex.match(`(^|/)kubernetesui/dashboard-metrics-scraper$|(^|/)kubernetesui/metrics-scraper$`, repository)
