# METADATA
# title: Controller ingress-nginx, which is retired
# description: |
#   ingress-nginx of the Kubernetes project got its last fixes in March 2026: what is found since stays
#   open, in a program that stands before everything else and reads Secrets. Its authors advise to move
#   to the Gateway API or to another controller.
# related_resources:
#   - https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   equivalents: [kubescape:C-0292]
package policies.network.retired_ingress_nginx

import data.lib.images

deny contains finding if {
	some image in images.lasting
	regex.match(`(^|/)ingress-nginx/controller(-chroot)?$`, images.repository(image.text))
	finding := {
		"path": image.path,
		"anchor": images.anchor(image),
		"message": sprintf("%s runs ingress-nginx, which is not mended any more", [images.who(image)]),
	}
}
