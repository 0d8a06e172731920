# METADATA
# title: Service with external IPs
# description: |
#   Whatever is sent to an address of externalIPs from inside of the cluster goes to the pods of this
#   Service: whoever may write one reads what others send to an address that is not theirs. Kubernetes
#   checks nothing of it (CVE-2020-8554); a load balancer or a Gateway does the same under control.
# related_resources:
#   - https://github.com/kubernetes/kubernetes/issues/97076
#   - https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   kinds: [Service]
#   equivalents:
#     - trivy:KSV-0108
#     - kyverno:restrict-service-external-ips
#     - gatekeeper:external-ip
package policies.network.external_ips

import data.lib.text

deny contains finding if {
	is_array(input.object.spec.externalIPs)
	addresses := [address | some address in input.object.spec.externalIPs; is_string(address)]
	count(addresses) > 0
	finding := {
		"path": ["spec", "externalIPs"],
		"message": sprintf("takes what is sent to %s, whosever that is", [text.joined(", ", addresses)]),
		"fix": {
			"title": "take no address by itself",
			"safety": "unsafe",
			"patch": [{"op": "remove", "path": ["spec", "externalIPs"]}],
		},
	}
}
