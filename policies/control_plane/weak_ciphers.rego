# METADATA
# title: API server offers a weak cipher
# description: |
#   Ciphers without forward secrecy, or with RC4 or 3DES, can be read later or already now by who
#   records. None of them is offered unless a list names it.
# related_resources:
#   - https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   mentions: [kube-apiserver]
#   equivalents:
#     - checkov:CKV_K8S_105
#     - kics:weak_tls_cipher_suites
package policies.control_plane.weak_ciphers

import data.lib.flags

deny contains finding if {
	some server in flags.running("kube-apiserver")
	some item in flags.items(server, "tls-cipher-suites")
	is_weak(item)
	finding := object.union(flags.told(server, "tls-cipher-suites", sprintf("offers the weak cipher %s", [item])), {"fix": flags.without_item(server, "tls-cipher-suites", item)})
}

is_weak(cipher) if startswith(cipher, "TLS_RSA_")

is_weak(cipher) if {
	some part in ["_RC4_", "_3DES_"]
	contains(cipher, part)
}
