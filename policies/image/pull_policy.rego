# METADATA
# title: Image that is not asked for again
# description: |
#   Unless imagePullPolicy is Always, a node starts the image that it has: perhaps an older one of
#   the same tag, and a private one without asking for the credentials of the pod. Where it is not
#   written, the API server says Always for the tag 'latest' or none at all, and else IfNotPresent.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting
# custom:
#   severity: low
#   profile: optional
#   contested: |
#     With tags that are never pushed again it changes nothing but that each start needs the registry.
#     Credentials are checked by the kubelet itself since Kubernetes 1.35, and before by the admission
#     plugin AlwaysPullImages, for all pods at once. Images that are loaded onto nodes need another one.
#   fix: deterministic
#   equivalents:
#     - checkov:CKV_K8S_15
#     - kubescape:C-0075
#     - polaris:pullPolicyNotAlways
#     - kube-score:container-image-pull-policy
#     - kics:image_pull_policy_of_container_is_not_always
#     - kyverno:imagepullpolicy-always
#     - kyverno:always-pull-images
package policies.image.pull_policy

import data.lib.images

deny contains finding if {
	some image in images.lasting
	image.list != "volumes"
	not is_always(image)
	finding := {
		"path": place(image),
		"anchor": images.anchor(image),
		"message": sprintf("%s starts the image that the node has: imagePullPolicy is %s", [
			images.who(image), said(image),
		]),
		"fix": {
			"title": "ask the registry at each start",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": image.policy_path, "value": "Always"}],
		},
	}
}

is_always(image) if image.policy == "Always"

is_always(image) if {
	image.policy == ""
	images.asks_latest(image.text)
}

place(image) := image.policy_path if image.policy != ""

place(image) := image.path if image.policy == ""

said(image) := image.policy if image.policy != ""

said(image) := "IfNotPresent where it is not written" if image.policy == ""
