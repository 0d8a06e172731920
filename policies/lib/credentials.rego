# What in a manifest is a credential in plain text. It is better to miss one than to take a name, a
# path or a placeholder for one: whoever is told wrongly three times reads no further.
#
# Patterns have no flags, which regopy does not know: names and values are asked in lower case. It
# sees a line feed, a tab and a quotation mark as two characters each, so that lines are taken one by
# one and made plain first.
package lib.credentials

# Whether a setting of this name and value gives a credential away.
holds(name, value) if {
	is_string(value)
	regex.match(secret_names, lower(name)) # most names are of nothing secret
	text := plain(value)
	is_literal(text)
	is_secret(lower(name), text)
}

holds(_, value) if speaks_for_itself(value)

# A text without tabs, line feeds and quotation marks, as far as it has one line.
plain(text) := trim(replace(replace(replace(trim_suffix(text, "\n"), "\r", ""), "\t", " "), "\"", "'"), " ")

# What `is_secret` is about at all.
secret_names := concat("|", [password_names, shared_secret_names, `(^|[_.-])(token|secret|pat)$`, key_names])

is_secret(name, text) if {
	is_password(name)
	not regex.match(`^[0-9]{1,3}$`, text)
}

is_secret(name, text) if {
	not only_concerns(name)
	regex.match(shared_secret_names, name)
	regex.match(`^[!-~]{6,}$`, text)
	not is_name(text)
}

shared_secret_names := `(app|application|client|consumer|cookie|hmac|jwt|session|shared|signing)[_.-]?secret$`

is_secret(name, text) if {
	is_key(name)
	is_random(text)
}

is_password(name) if {
	not only_concerns(name)
	regex.match(password_names, name)
}

password_names := `(password|passwd|passphrase|requirepass|masterauth|[_.-]pass|[_.-]pwd)([_-]?[0-9]+)?$`

is_key(name) if {
	not only_concerns(name)
	regex.match(`(^|[_.-])(token|secret|pat)$`, name)
}

is_key(name) if {
	not only_concerns(name)
	regex.match(key_names, name)
}

key_names := concat("", [
	`(access|api|auth|bearer|bot|refresh|session|webhook)[_.-]?(token|secret)$|`,
	`(account|api|encryption|license|master|private|secret|signing|storage)[_.-]?key([_.-]?base)?$|`,
	`secret[_.-]?access[_.-]?key$`,
])

# Settings about passwords and keys rather than with them, and keys that everybody may have.
only_concerns(name) if regex.match(about, name)

about := concat("", [
	`(^|[_.-])(allow|ask|change|check|disable|empty|enable|encrypted|expire|force|forgot|generate|has|hashed|hide|`,
	`max|min|no|prompt|public|publishable|random|require|requires|reset|sealed|show|site|use|uses|validate|`,
	`verify|with|without)[_.-]`,
])

# A value that is meant as it stands.
is_literal(plain_text) if {
	text := lower(plain_text)
	text != ""
	not text in words
	not contains(text, " ")
	not regex.match(`\n`, text) # to regopy "\n" is no line feed in what replace gave
	not regex.match(reference, text)
	not regex.match(hash, text)
	not regex.match(filler, text)
	not regex.match(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`, plain_text)
}

words := {
	"auto", "disabled", "enabled", "false", "hidden", "masked", "n/a", "nil", "no", "none", "null", "off",
	"on", "optional", "plain", "required", "string", "true", "undefined", "unset", "yes",
}

# Variables, templates, paths, addresses, files, the names of secrets elsewhere, spans of time.
reference := concat("|", [
	`[$][({]`, `^[$][a-z_]`, `[{][{]`, `^%.*%$`, `^<.*>$`, `^\[.*\]$`, `^__.*__$`, `^@.*@$`, `^[.~]{0,2}/`,
	`^[a-z]:[\\]`, `^[a-z][a-z0-9+.-]*://`,
	`^(akv|arn|awssm|azkv|bank-vaults|conjur|doppler|env|file|gcpsm|gsm|k8s|kms|op|ref[+][a-z]+|secret|secretref|sm|ssm|vault):`,
	`[.](cer|cfg|conf|crt|enc|env|ini|jks|json|key|p12|pem|pfx|properties|txt|ya?ml)$`,
	`^[0-9]+([.][0-9]+)?(ns|us|ms|s|sec|m|min|h|d|w|y)$`,
])

# What a password was made into cannot be turned back, or only by somebody else.
hash := concat("|", [
	`^[$](1|2[abxy]?|5|6|7|y|apr1|argon2|pbkdf2|scrypt)`, `^[{][a-z0-9-]+[}]`, `^scram-sha`, `^pbkdf2`,
	`^enc[\[(]`, `^md5[0-9a-f]{32}$`, `^[*][0-9a-f]{40}$`,
])

filler := concat("|", [
	`^[*x.#?_-]+$`, `change[_-]?(it|me|this)`, `replace`, `^your`, `your[_-]`, `example`, `placeholder`, `insert`,
	`fill[_-]?(in|me)`, `dummy`, `fake`, `redacted`, `todo`, `tbd`, `unused`,
])

# The name of an object: words of small letters, joined.
is_name(text) if {
	regex.match(`^[a-z0-9]+([._-][a-z0-9]+)+$`, text)
	not regex.match(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`, text)
}

is_random(text) if {
	regex.match(`^[A-Za-z0-9+/=_.~!@#%^&*:-]{12,}$`, text)
	regex.match(`[0-9]`, text)
	regex.match(`[A-Za-z]`, text)
	not is_name(text)
	not regex.match(`^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.]+$`, text)
}

# Whatever it is called.
speaks_for_itself(value) if {
	is_string(value)
	regex.match(telling, plain(value)) # most values have nothing of the kind
	some line in split(value, "\n")
	gives_away(plain(line))
}

# A piece of each of `shapes`, of addresses and of pairs.
telling := `://|=|-----BEGIN |gh[opsu]_|github_pat_|glpat-|xox[abprs]-|[rs]k_live_|AIza|npm_|dckr_pat_|hvs[.]`

gives_away(line) if regex.match(shapes, line)

gives_away(line) if has_url(line)

gives_away(line) if {
	contains(line, "=")
	some found in regex.find_all_string_submatch_n(pairs, lower(line), -1)
	is_literal(found[3])
}

# In a connection string: "Host=db;Username=shop;Password=…".
pairs := `(^|[;?&])[ ]*(password|pwd|accountkey|sharedaccesskey)=([^;,& ]+)`

shapes := concat("|", [
	`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`, `(^|[^A-Za-z0-9])gh[opsu]_[A-Za-z0-9]{36}`, `github_pat_[A-Za-z0-9_]{60}`,
	`(^|[^A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}`, `(^|[^A-Za-z0-9])xox[abprs]-[0-9]{6,}-[A-Za-z0-9-]{10}`,
	`(^|[^A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20}`, `(^|[^A-Za-z0-9])AIza[A-Za-z0-9_-]{35}`,
	`(^|[^A-Za-z0-9])npm_[A-Za-z0-9]{36}`, `(^|[^A-Za-z0-9])dckr_pat_[A-Za-z0-9_-]{20}`,
	`(^|[^A-Za-z0-9])hvs[.][A-Za-z0-9_-]{24}`,
])

# A URL with a password: "postgres://shop:…@db/shop". What a comment shows is an example.
has_url(line) if {
	contains(line, "://")
	not regex.match(`^([#;]|//)`, line)
	some found in regex.find_all_string_submatch_n(url, line, -1)
	is_literal(found[2])
	not [lower(found[1]), lower(found[2])] in examples
}

url := `[A-Za-z][A-Za-z0-9+.-]*://([^/?# :@']*):([^/?# @']+)@`

examples := {[user, password] |
	some user in ["user", "username"]
	some password in ["pass", "password", "pwd", "secret"]
}
