# METADATA
# title: CronJob without a starting deadline
# description: |
#   Without startingDeadlineSeconds a start that was missed, while the controller was away or a Job
#   still ran under concurrencyPolicy Forbid, is made up for however late it is; beyond a hundred of
#   them the controller complains each time (TooManyMissedTimes), and before 1.21 it started none.
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
		"message": "says no startingDeadlineSeconds: a start that was missed is made up for, however late",
	}
}
