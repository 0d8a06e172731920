# METADATA
# title: Denied path with variants that pass
# description: |
#   A path that is denied, or left out of what is allowed, is denied as it is written and no other:
#   `/admin` leaves `/admin/` open, and `/admin/*` or `/admin/{**}` leaves `/admin`. Recorded from a
#   real Envoy: DENY `/admin` let `/admin/`, `//admin`, `/ADMIN` and `/admin;x` pass. Where the
#   application takes one of them for the same, the rule protects nothing; an ALLOW policy with
#   the paths that are meant fails closed.
# related_resources:
#   - https://istio.io/latest/docs/ops/best-practices/security/#authorization-policies
# custom:
#   severity: medium
#   profile: recommended
#   fix: manual
#   kinds: [AuthorizationPolicy]
package policies.istio.denied_path_missed

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "paths"
	is_list_of_denials(value)
	startswith(value.text, "/")
	some missed in neighbours(value.text)
	not covered(value, missed)
	finding := {
		"path": value.path,
		"message": sprintf("'%s' leaves '%s' open, which many applications take for the same", [value.text, missed]),
	}
}

is_list_of_denials(value) if {
	istio.action == "DENY"
	not value.negative
}

is_list_of_denials(value) if {
	istio.action == "ALLOW"
	value.negative
}

# The nearest neighbour, where there is one, that is not meant to be left out.
neighbours(text) := {sprintf("%s/", [text]) |
	is_exact(text)
	not endswith(text, "/")
} | {trim_suffix(text, end) |
	some end in {"/*", "/{**}"}
	endswith(text, end)
	text != end
	is_exact(trim_suffix(text, end))
}

# Every operator of a template has an asterisk in it.
is_exact(text) if not contains(text, "*")

# Another value of the same list has it.
covered(value, missed) if {
	some other in istio.values
	other.within == value.within
	other.field == value.field
	has(other.text, missed)
}

has(text, missed) if text == missed

has(text, missed) if {
	endswith(text, "*")
	startswith(missed, trim_suffix(text, "*"))
}

has(text, missed) if {
	endswith(text, "/{**}")
	startswith(missed, trim_suffix(text, "{**}"))
}
