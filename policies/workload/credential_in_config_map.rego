# METADATA
# title: Credential in a ConfigMap
# description: |
#   Whoever may look at a namespace reads its ConfigMaps: they are not encrypted where Secrets are, and
#   most roles give them to everybody. Told of keys and of settings in configuration files whose name
#   says credential and whose value is no reference, path or placeholder, of private keys, of addresses
#   with a password in them and of tokens of a known form. The value itself is never shown.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/configmap/
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   severity: high
#   profile: recommended
#   kinds: [ConfigMap]
#   fix: manual
#   equivalents: [kubescape:C-0012, trivy:KSV-0109, trivy:KSV-01010, polaris:sensitiveConfigmapContent]
package policies.workload.credential_in_config_map

import data.lib.credentials

deny contains finding if {
	some key, value in texts
	credentials.holds(key, value)
	finding := {
		"path": ["data", key],
		"anchor": key,
		"message": sprintf("key '%s' holds a credential in plain text", [key]),
	}
}

deny contains finding if {
	some setting in settings
	credentials.is_literal(setting.value)
	credentials.is_secret(lower(setting.name), setting.value)
	finding := {
		"path": ["data", setting.key],
		"anchor": sprintf("%s/%s", [setting.key, setting.name]),
		"message": sprintf("key '%s' holds a credential in plain text: '%s'", [setting.key, setting.name]),
	}
}

texts[key] := value if {
	is_object(input.object.data)
	some key, value in input.object.data
	is_string(value)
}

# The lines of a file that set what may be a credential.
settings contains setting if {
	some key, text in texts
	contains(trim_suffix(text, "\n"), "\n")
	not is_program(lower(key))
	some line in split(text, "\n")
	found := regex.find_all_string_submatch_n(setting_line, credentials.plain(line), 1)
	name := substring(found[0][2], 0, -1)
	value := trim(found[0][5], "'")
	lower(value) != lower(name)
	setting := {"key": key, "name": name, "value": value}
}

# No comment, and nothing between the name and its value but a separator.
setting_line := concat("", [
	`^(export |- |')*(`, names, `)'?[ ]*(:|=)[ ]*('[^']+'|[^ '(){}<>|,;]+)[,;]?([ ]+#.*)?$`,
])

names := `[A-Za-z0-9_.-]*([Pp][Aa][Ss][Ss]|[Pp][Ww][Dd]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Tt][Oo][Kk][Ee][Nn]|[Kk][Ee][Yy])[A-Za-z0-9_.-]*`

# There such lines are code.
is_program(key) if {
	regex.match(`[.](css|go|groovy|html|java|js|lua|md|mjs|php|pl|py|rb|rego|sql|star|tmpl|tpl|ts)$`, key)
}
