# METADATA
# title: Job that is kept for ever
# description: |
#   A finished Job and its pods stay until somebody deletes them, unless it says ttlSecondsAfterFinished.
#   Not asked of hooks of Helm and Argo CD, which these delete, nor of what a CronJob makes, which keeps
#   the last few.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/
# custom:
#   severity: low
#   profile: strict
#   fix: deterministic
#   kinds: [Job]
#   equivalents: [kube-linter:job-ttl-seconds-after-finished, kyverno:add-ttl-jobs]
package policies.health.job_kept_for_ever

import data.lib.written

hooks := {"helm.sh/hook", "argocd.argoproj.io/hook"}

deny contains finding if {
	is_object(input.object.spec)
	object.get(input.object.spec, "ttlSecondsAfterFinished", null) == null
	count(hooks & object.keys(annotations)) == 0
	count(written.list(input.object.metadata, "ownerReferences")) == 0
	finding := {
		"path": ["spec"],
		"message": "is kept for ever once it has finished, with its pods: it says no ttlSecondsAfterFinished",
		"fix": {
			"title": "delete it a day after it finished",
			"safety": "unsafe",
			"patch": [{"op": "add", "path": ["spec", "ttlSecondsAfterFinished"], "value": 86400}],
		},
	}
}

default annotations := {}

annotations := found if {
	found := input.object.metadata.annotations
	is_object(found)
}
