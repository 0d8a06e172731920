# METADATA
# title: Path that no request has
# description: |
#   A path is compared after Envoy has normalised that of the request, without query and fragment. A
#   path in a policy that does not begin with a slash, that has a `?` or a `#`, that has `.` or `..`
#   segments, or a percent-encoded letter, digit, `-`, `.`, `_` or `~`, is accepted everywhere and
#   never matches. Recorded from a real Envoy: `healthz`, `/healthz?x=1`, `/healthz#frag`,
#   `/%68ealthz` and `/a/../healthz` matched nothing, not even requests for just that.
# related_resources:
#   - https://istio.io/latest/docs/ops/best-practices/security/#understand-path-normalization-in-authorization-policy
# custom:
#   severity: high
#   profile: essential
#   fix: manual
#   kinds: [AuthorizationPolicy]
#   facts: [mesh]
package policies.istio.path_never_matches

import data.lib.istio

deny contains finding if {
	some value in istio.values
	value.positive == "paths"
	not istio.is_template(value.text)
	some why in reason(value.text)
	finding := {
		"path": value.path,
		"message": sprintf("no request has the path '%s', %s: %s", [
			value.text, istio.without_a_match(value), why,
		]),
	}
}

# The first of what keeps a path from matching; none where nothing does.
reason(text) := array.slice(
	[row.why |
		some row in reasons
		regex.match(row.pattern, text)
		normalization in row.under
	],
	0, 1,
)

reasons := [
	{"why": "a path begins with a slash", "pattern": `^[^/*]`, "under": array.concat(["NONE"], normalizing)},
	{"why": "query and fragment take no part", "pattern": `[?#]`, "under": array.concat(["NONE"], normalizing)},
	{"why": "segments of dots are resolved before", "pattern": `/\.\.?(/|$)`, "under": normalizing},
	{"why": "a backslash becomes a slash before", "pattern": `\\`, "under": normalizing},
	{
		"why": "what needs no encoding is decoded before",
		"pattern": `%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])`,
		"under": normalizing,
	},
	{"why": "slashes that follow each other are merged before", "pattern": `//`, "under": merging},
	{"why": "an encoded slash is decoded before", "pattern": `%2[fF]|%5[cC]`, "under": ["DECODE_AND_MERGE_SLASHES"]},
]

merging := ["MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]

normalizing := array.concat(["BASE"], merging)

normalization := object.get(input.facts, ["mesh", "path_normalization"], "BASE")
