# METADATA
# title: Ingress with a snippet of nginx
# description: |
#   A snippet is put into the configuration of ingress-nginx as it is. Whoever may write an Ingress can
#   so run code in the controller, and read what its service account may read: the Secrets of all
#   namespaces (CVE-2021-25742).
# related_resources:
#   - https://github.com/kubernetes/ingress-nginx/issues/7837
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   kinds: [Ingress]
#   equivalents:
#     - kubescape:C-0059
#     - checkov:CKV_K8S_152
#     - checkov:CKV_K8S_153
#     - checkov:CKV_K8S_154
#     - trivy:KCV-0093
package policies.network.nginx_snippet

deny contains finding if {
	is_object(input.object.metadata.annotations)
	some name, _ in input.object.metadata.annotations
	startswith(name, "nginx.ingress.kubernetes.io/")
	endswith(name, "-snippet")
	finding := {
		"path": ["metadata", "annotations", name],
		"anchor": name,
		"message": sprintf("puts text of its own into the configuration of nginx: %s", [name]),
		"fix": {
			"title": "leave the configuration of nginx alone",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": ["metadata", "annotations", name]}],
		},
	}
}
