# Whether a pod is given the token of its service account.
#
# Other modules are called by their whole name here: regorus loses the name that an import gives
# when a function is called from a policy that has used a rule of the same module before.
package lib.tokens

identity := input.facts.identity

path := array.concat(data.lib.workload.pod_path, ["automountServiceAccountToken"])

# The pod's word counts before the account's.
is_mounted if is_asked_for

is_mounted if {
	not is_boolean(object.get(data.lib.workload.pod, "automountServiceAccountToken", null))
	identity.mounted == true
}

is_asked_for if data.lib.workload.pod.automountServiceAccountToken == true

# Where it says so, else where it names the account, else the pod.
place := path if is_asked_for

place := array.concat(data.lib.workload.pod_path, ["serviceAccountName"]) if {
	not is_asked_for
	names_account("serviceAccountName")
}

place := array.concat(data.lib.workload.pod_path, ["serviceAccount"]) if {
	not is_asked_for
	not names_account("serviceAccountName")
	names_account("serviceAccount")
}

place := data.lib.workload.pod_path if {
	not is_asked_for
	not names_account("serviceAccountName")
	not names_account("serviceAccount")
}

names_account(field) if {
	is_string(data.lib.workload.pod[field])
	data.lib.workload.pod[field] != ""
}

calls_kubectl if {
	some container in data.lib.workload.containers
	is_string(container.spec.image)
	contains(container.spec.image, "kubectl")
}

calls_kubectl if {
	some container in data.lib.workload.containers
	some field in ["command", "args"]
	is_array(container.spec[field])
	some word in container.spec[field]
	is_string(word)
	contains(word, "kubectl")
}

without := {
	"title": "mount no token",
	"safety": "unsafe",
	"patch": [{"op": "add", "path": path, "value": false}],
}
