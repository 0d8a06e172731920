# METADATA
# title: Restart policy that is refused
# description: |
#   The pods of a Job end, so that Always, which is the default, is refused; those of a Deployment and its
#   like never do, so that nothing else is taken.
# related_resources:
#   - https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-template
# custom:
#   severity: medium
#   profile: recommended
#   fix: deterministic
#   kinds: [Job, CronJob, Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController]
#   equivalents: [kube-score:cronjob-restartpolicy]
#   near: [kube-linter:restart-policy]
package policies.health.refused_restart_policy

import data.lib.workload

policy := object.get(workload.pod, "restartPolicy", "Always")

ends if input.object.kind in {"Job", "CronJob"}

deny contains finding if {
	ends
	policy == "Always"
	finding := object.union(found("the API server refuses a Job whose pods never end: restartPolicy is Always"), fix("say that they end", "Never", "unsafe"))
}

deny contains finding if {
	not ends
	is_string(policy)
	policy != "Always"
	finding := object.union(found(sprintf("the API server refuses restartPolicy '%s' here: these pods never end", [policy])), fix("say that they go on", "Always", "safe"))
}

found(message) := {"path": place, "message": message}

place := array.concat(workload.pod_path, ["restartPolicy"]) if "restartPolicy" in object.keys(workload.pod)

place := workload.pod_path if not "restartPolicy" in object.keys(workload.pod)

fix(title, value, safety) := {"fix": {
	"title": title,
	"safety": safety,
	"patch": [{"op": "add", "path": array.concat(workload.pod_path, ["restartPolicy"]), "value": value}],
}}
