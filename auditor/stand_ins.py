"""What stands for a credential: a text of the same class, so that policies about credentials in
plain sight say the same of it. The classes are those of ``policies/lib/credentials.rego``.
"""

from __future__ import annotations

import re

VALUE = "Hidden0Credential0Value"
"""Stands for a credential of no particular form, as if it were drawn by lot."""
NO_LITERAL = "__hidden__"
"""Stands for what is no password as it is written: a template, a hash, something to fill in."""
NAME = "hidden-credential"
"""Stands for small words that are joined, as objects are named."""
WORD = "HiddenCredential"
"""Stands for a word without a digit, and for other texts that nobody drew by lot."""
SHORT = "Hid0n"
"""Stands for less than six letters."""
ALL = (VALUE, NO_LITERAL, NAME, WORD, SHORT)

_ORDINARY = frozenset(
    (
        "auto", "disabled", "enabled", "hidden", "masked", "n/a", "nil", "optional", "plain",
        "required", "string", "undefined", "unset",
    )
)  # fmt: skip
"""Words that are no password, beside those that are no credential under whatever name."""
_NO_LITERAL = re.compile(
    r"[$][({]|[$][a-z_]|[{][{]|%.*%\Z|<.*>\Z|\[.*\]\Z|__.*__\Z|@.*@\Z|[.~]{0,2}/|[a-z]:[\\]"
    r"|[a-z][a-z0-9+.-]*://"
    r"|(?:akv|arn|awssm|azkv|bank-vaults|conjur|doppler|env|file|gcpsm|gsm|k8s|kms|op|ref[+][a-z]+"
    r"|secret|secretref|sm|ssm|vault):"
    r"|.*[.](?:cer|cfg|conf|crt|enc|env|ini|jks|json|key|p12|pem|pfx|properties|txt|ya?ml)\Z"
    r"|[0-9]+(?:[.][0-9]+)?(?:ns|us|ms|s|sec|m|min|h|d|w|y)\Z"
    r"|[$](?:1|2[abxy]?|5|6|7|y|apr1|argon2|pbkdf2|scrypt)|[{][a-z0-9-]+[}]|scram-sha|pbkdf2"
    r"|enc[\[(]|md5[0-9a-f]{32}\Z|[*][0-9a-f]{40}\Z|[*x.#?_-]+\Z|.*\s"
    r"|.*(?:change[_-]?(?:it|me|this)|replace|your[_-]|example|placeholder|insert|fill[_-]?(?:in|me)"
    r"|dummy|fake|redacted|todo|tbd|unused)|your"
)
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_JOINED = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)+")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DRAWN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=_.~!@#%^&*:-]{12,}")
_MAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+[.][A-Za-z0-9.]+")


def stand_in(text: str) -> str:
    """What stands for `text`; the same, where it is none that has to be hidden."""
    plain = text.strip("\n\"' ")
    if plain.lower() in _ORDINARY:
        return text
    if _NO_LITERAL.match(plain.lower()) or _CAPITALS.fullmatch(plain):
        return NO_LITERAL
    if _JOINED.fullmatch(plain) and not _UUID.fullmatch(plain):
        return NAME
    if _DRAWN.fullmatch(plain) and not _MAIL.fullmatch(plain):
        return VALUE
    return WORD if len(plain) >= 6 else SHORT
