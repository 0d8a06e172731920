# METADATA
# title: Serving certificates of kubelets are not renewed
# description: |
#   With the feature gate off kubelets do not ask for a new serving certificate: the one they have
#   runs out, and then nobody verifies it any more. It is on unless the gate says otherwise.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-controller-manager]
#   equivalents:
#     - kubescape:C-0149
#     - trivy:KCV-0038
#     - checkov:CKV_K8S_112
#     - kics:rotate_kubelet_server_certificate_not_active
#     - prowler:controllermanager_rotate_kubelet_server_cert
package policies.control_plane.kubelet_rotation_off

import data.lib.flags

deny contains finding if {
	some manager in flags.running("kube-controller-manager")
	"RotateKubeletServerCertificate=false" in flags.items(manager, "feature-gates")
	finding := object.union(flags.told(manager, "feature-gates", "switches off that serving certificates of kubelets are renewed"), {"fix": flags.without_item(manager, "feature-gates", "RotateKubeletServerCertificate=false")})
}
