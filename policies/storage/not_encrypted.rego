# METADATA
# title: Class of volumes that are not encrypted
# description: |
#   Volumes of EBS are encrypted where the class or the account says so. Where the class says no,
#   or nothing, whoever gets a snapshot or a disk can read it. Parameters of a class cannot be changed: it
#   has to be made anew.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/storage-classes/#aws-ebs
# custom:
#   severity: medium
#   profile: strict
#   fix: deterministic
#   kinds: [StorageClass]
#   equivalents: [kubescape:C-0264]
package policies.storage.not_encrypted

deny contains finding if {
	input.object.provisioner in ["ebs.csi.aws.com", "kubernetes.io/aws-ebs"]
	not encrypted
	finding := {
		"path": ["provisioner"],
		"message": "makes volumes that are not encrypted",
		"fix": {
			"title": "encrypt its volumes",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": ["parameters", "encrypted"], "value": "true"}],
		},
	}
}

encrypted if input.object.parameters.encrypted == "true"
