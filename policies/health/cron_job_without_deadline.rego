# METADATA
# title: CronJob without a starting deadline
# description: |
#   Without startingDeadlineSeconds all starts since the last one count as missed while the controller
#   is away or a Job still runs under concurrencyPolicy Forbid; beyond a hundred of them the CronJob is
#   never started again.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#starting-deadline
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [CronJob]
#   equivalents: [kube-score:cronjob-has-deadline, kics:cronjob_deadline_not_configured]
package policies.health.cron_job_without_deadline

deny contains finding if {
	is_object(input.object.spec)
	object.get(input.object.spec, "startingDeadlineSeconds", null) == null
	object.get(input.object.spec, "suspend", false) != true
	finding := {
		"path": ["spec"],
		"message": "says no startingDeadlineSeconds: after a hundred missed starts it is never started again",
	}
}
