# METADATA
# title: Node with a version of Kubernetes that is not mended any more
# description: |
#   What is found in its kubelet since stays open. The project mends a minor version for about 14 months;
#   the last day of each is published. Who sells Kubernetes may mend it for longer.
# related_resources:
#   - https://kubernetes.io/releases/patch-releases/
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [Node]
#   equivalents: [kubescape:C-0273, popeye:POP-405, kyverno:kubernetes-version-check]
package policies.admission.node_out_of_support

# The first minor version that is mended: the last day of 1.34 was 2026-10-27. That of 1.35 is
# 2027-02-28, that of 1.36 is 2027-06-28 (kubernetes.io/releases/1.34, /1.35, /1.36).
mended := 35

deny contains finding if {
	version := input.object.status.nodeInfo.kubeletVersion
	is_string(version)
	found := regex.find_all_string_submatch_n(`^v1[.]([0-9]+)[.]`, version, 1)
	to_number(found[0][1]) < mended
	finding := {
		"path": ["status", "nodeInfo", "kubeletVersion"],
		"message": sprintf("runs Kubernetes %s, which is not mended any more", [version]),
	}
}
