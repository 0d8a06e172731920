# METADATA
# title: Names that are asked for several times
# description: |
#   With ndots 5, which is the default, a name outside of the cluster with fewer than five dots is first
#   looked up in each search domain: four queries that fail for each that is meant.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config
# custom:
#   severity: info
#   profile: strict
#   fix: deterministic
#   equivalents: [kube-linter:dnsconfig-options, kyverno:add-ndots]
package policies.health.many_dns_queries

import data.lib.workload
import data.lib.written

policy := object.get(workload.pod, "dnsPolicy", "ClusterFirst")

options := written.list(workload.pod, ["dnsConfig", "options"])

deny contains finding if {
	policy in {"ClusterFirst", "ClusterFirstWithHostNet"}
	not is_said
	finding := {
		"path": workload.pod_path,
		"message": "asks for names outside of the cluster in each search domain first: ndots is 5",
		"fix": fix(patch),
	}
}

# The same, written down.
deny contains finding if {
	policy in {"ClusterFirst", "ClusterFirstWithHostNet"}
	some index, said in options
	said.name == "ndots"
	is_string(said.value)
	regex.match(`^([5-9]|1[0-5])$`, said.value)
	place := array.concat(path, [index, "value"])
	finding := {
		"path": place,
		"message": sprintf("asks for names outside of the cluster in each search domain first: ndots is %s", [said.value]),
		"fix": fix([{"op": "replace", "path": place, "value": "2"}]),
	}
}

fix(steps) := {
	"title": "ask for names with two dots as they are",
	"safety": "unsafe",
	"patch": steps,
}

is_said if {
	some said in options
	said.name == "ndots"
}

option := {"name": "ndots", "value": "2"}

path := array.concat(workload.pod_path, ["dnsConfig", "options"])

patch := [{"op": "add", "path": array.concat(path, ["-"]), "value": option}] if count(options) > 0

patch := [{"op": "add", "path": path, "value": [option]}] if count(options) == 0
