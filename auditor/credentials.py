"""What counts as a credential, and what stands in its place. The one place that says so.

A credential is known by where it stands (`may_hold_secret`), by the name that it is written under
(``DB_PASSWORD``, ``--token``), or by its own form: user and password of a URL, a private key, the
tokens of well-known services, a word that looks drawn by lot. A password that is a plain word under
a name that does not give it away is not known; it is hidden only where it stands in such a place.

What stands for a credential is of its class (a literal stays a literal, an AWS key looks like one),
so that a policy about credentials in plain sight gives the same answer, and leaves every address as
it is, so that the facts do.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from auditor.model import Manifest, Path
from auditor.stand_ins import ALL, VALUE, stand_in

DEEPEST = 100
"""Levels that are read of an object that is too deep to be read as it is."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Part = tuple[int, int, str]
"""From where to where in a text, and what stands there instead."""

_DATA = frozenset(("data", "stringData", "binaryData"))
_ARGUMENTS = frozenset(("args", "command", LAST_APPLIED))
_LISTS_OF_VALUES = ("env", "httpHeaders")

_NAMED = (
    r"(?:passw(?:or)?d|passphrase|passcode|(?<![a-z])pass(?![a-z])|pwd|secret|token|credential"
    r"|authorization|(?<![a-z])cookie|session[_.-]?id"
    r"|(?:api|access|private|auth|encryption|signing|account|master|shared|client)[_.-]?key)"
)
_REFERS = (
    r"(?:names?|files?|path|dir|ur[il]s?|hosts?|hostnames?|addr|addrs|address|addresses|endpoints?"
    r"|ports?|servers?|service|brokers?|upstreams?|nodes|peers|dsn|ttl|types?|enabled|refs?|id|ids"
    r"|expir[a-z]*|timeout|seconds|minutes|hours|length|size|policy|algorithm|issuer|audiences?"
    r"|mount|provider|store|backend|class|count|limit|rotation|version|header|mode|format|keys?ref)"
)
"""Last words of names under which stands something about a credential, and not the credential."""
_IN_NAMES = (
    "pass", "pwd", "secret", "token", "credential", "authorization", "cookie", "session", "api",
    "access", "private", "auth", "encryption", "signing", "account", "master", "shared", "client",
)  # fmt: skip
_KEY = re.compile(_NAMED, re.IGNORECASE)
_REFERENCE = re.compile(rf"(?:^|[_.-]|(?-i:(?<=[a-z0-9])(?=[A-Z]))){_REFERS}$", re.IGNORECASE)

_HARMLESS = re.compile(
    r"\d{0,5}(?:ms|[smhd])?|true|false|yes|no|on|off|null|none|\$\([^)]*\)|\$\{[^}]*\}|\{\{.*\}\}"
    r"|<[^>]*>|…|\.{0,2}/[a-z0-9._/-]*|(?:[a-z][a-z0-9+.-]*:)+@?//.*|[a-z0-9.-]+:\d{1,5}(?:/.*)?|[a-z0-9.-]+\.svc(?:\.[a-z0-9.-]+)?"
    rf"|{'|'.join(ALL)}",
    re.IGNORECASE,
)
"""Values that are no credential under whatever name: a switch, a number, a reference, a file, an
address (whose own user and password are looked for apart)."""
_TELLS_ADDRESS = re.compile(r"[\w.-]*(?:host|server|addr|address|ur[il]) ?[=:]", re.IGNORECASE)
_STRUCTURED = re.compile(
    rf"[^\n]*\n|\s*[{{\[]|[\w.-]+=\S*\s+[\w.-]+=|{_TELLS_ADDRESS.pattern}", re.IGNORECASE
)
"""The beginning of a text whose parts have names of their own."""

_AT_HOST = re.compile(r"@(?:tcp\()?[a-z0-9.-]+:\d{1,5}\)?(?:/[a-z0-9_.-]*)?\Z", re.IGNORECASE)
_PEM = re.compile(
    r"-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----(.*?)(?:-----END \1-----|\Z)", re.DOTALL
)
_USERINFO = re.compile(
    r"(?<=://)[^\s/@:\"']{0,128}:"
    r"(?P<v>[^\s/\"'<>,;|]{1,512}|(?!\d{1,5}[,;|])[^\s/\"'<>@]{1,512})@"
)
_BARE_USERINFO = re.compile(
    r"(?<![\w/@:.%+-])(?!mailto:)[\w.%+-]{1,64}:(?P<v>[^\s/@\"'<>,;]{1,256})@(?!sha\d)(?=[\w(\[])"
)
_DOCUMENTED = re.compile(r"(?:user|username):(?:pass|password|pwd|secret)@")
"""User and password of an example."""
_FORMATS = re.compile(
    r"\b(?P<p>A[KS]IA)(?P<v>[0-9A-Z]{16})\b"
    r"|\b(?P<p2>gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|[sr]k_(?:live|test)_|AIza|ya29\."
    r"|npm_|hf_|dop_v1_|pypi-|SG\.|hvs\.|dckr_pat_)(?P<v2>[A-Za-z0-9_.-]{16,})"
)
_JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?")
_HIDDEN_JWT = "eyJHidden0Credential.eyJHidden0Credential.Hidden0"
_SCHEME = re.compile(r"\b(?:Bearer|Basic)[ \t]+(?P<v>(?=\S*[0-9=])[A-Za-z0-9+/=._~-]{8,})")
_PAIR = re.compile(
    rf"{_NAMED}(?P<rest>[\w.-]{{0,40}})(?P<sep>\\?[\"']?[ \t]{{0,8}}(?::=|=>|=|:)[ \t]{{0,8}})"
    r"(?:\\?\"(?P<v>[^\"\n\\]+)|'(?P<v2>[^'\n]+)'|(?P<v3>[^\s\"'&,;|<>{}\[\]]+))",
    re.IGNORECASE,
)
_FLAG = re.compile(
    rf"(?<!\S)--?[\w.-]{{0,40}}?{_NAMED}(?P<rest>[\w.-]{{0,40}})[ \t]+"
    r"(?P<v>[^\s\"'{\[-][^\s\"']*)",
    re.IGNORECASE,
)
_USER_FLAG = re.compile(r"(?<!\S)(?:-u|--user)[ =][^\s:]{1,64}:(?P<v>[^\s\"'@]+)")
_ELEMENT = re.compile(
    rf"<[\w.-]{{0,40}}{_NAMED}(?P<rest>[\w.-]{{0,40}})>(?P<v>[^<\n]+)<", re.IGNORECASE
)
SHORTEST = 16
"""From how many signs on a word may look drawn by lot."""
_WORD = re.compile(rf"[A-Za-z0-9+/]{{{SHORTEST},}}={{0,2}}")
_PART = re.compile(r"[a-z0-9]+={0,2}")
_HEX = re.compile(r"(?:[0-9a-f]+|[0-9A-F]+)\Z")
_PROSE = re.compile(r"[a-z]+\.?", re.IGNORECASE)

_SIGNS = (
    "AKIA", "ASIA", "gh", "github_pat_", "glpat-", "xox", "sk-", "sk_", "rk_", "AIza", "ya29.",
    "npm_", "hf_", "dop_v1_", "pypi-", "SG.", "hvs.", "dckr_pat_",
)  # fmt: skip
"""Without one of them no form fits: looking for a word costs a tenth of what a pattern does."""
_SIMPLE = {
    "://": _USERINFO, "@": _BARE_USERINFO, "Bearer": _SCHEME, "Basic": _SCHEME, "-u": _USER_FLAG,
}  # fmt: skip
_UNDER_A_NAME = (_PAIR, _FLAG, _ELEMENT)
_UNREAD = frozenset(
    (
        "apiVersion", "kind", "name", "namespace", "labels", "matchLabels", "selector",
        "nodeSelector", "nodeName", "uid", "ownerReferences", "resourceVersion", "generateName",
        "containerID", "imageID", "key", "secretName", "serviceAccountName", "topologyKey",
        "managedFields",
    )
)  # fmt: skip
"""Fields of an object that name something: what they hold is how others find it."""


def may_hold_secret(path: Path) -> bool:
    """Whether people keep credentials in the value at `path` of an object: the value of a variable
    or a header, an argument, the data of a Secret or a ConfigMap.
    """
    return (
        not _DATA.isdisjoint(path[:1])
        or not _ARGUMENTS.isdisjoint(path)
        or any(
            step in _LISTS_OF_VALUES and path[i + 2 : i + 3] == ("value",)
            for i, step in enumerate(path)
        )
    )


def is_credential_name(key: str) -> bool:
    """Whether what is written under `key` is a credential, and not something about one."""
    return bool(_KEY.search(key)) and not _refers(key)


def _refers(key: str) -> bool:
    return bool(_REFERENCE.search(key))


def hidden(text: str, key: str = "") -> str:
    """A value of a manifest, written under `key`, without the credentials in it. Done twice, it
    changes nothing more. Costs a few looks at each character.
    """
    if len(text) > 1024:
        return _hidden(text, key)
    return _hidden_before(text, key)


@lru_cache(maxsize=1 << 14)
def told(text: str) -> str:
    """A sentence of ours or of another program without the credentials that it may quote."""
    return _with(text, parts(text, prose=True))


def _hidden(text: str, key: str) -> str:
    named = key and is_credential_name(key)
    if named and not _HARMLESS.fullmatch(text) and not _STRUCTURED.match(text):
        formed = _FORMATS.fullmatch(text) or _JWT.fullmatch(text)
        return _with(text, parts(text)) if formed else _instead(text)
    return _with(text, parts(text))


def _instead(text: str) -> str:
    """What stands for a credential, before the address that follows it."""
    address = _address_in(text)
    return stand_in(text) if not address else VALUE + address


def _address_in(text: str) -> str:
    """The address at the end of a text that begins with a user or a password."""
    match = _AT_HOST.search(text)
    return match[0] if match else ""


_hidden_before = lru_cache(maxsize=1 << 14)(_hidden)


def parts(text: str, *, prose: bool = False) -> list[Part]:
    """Where in a text credentials stand, in order and apart from each other."""
    found = [*_formed(text), *_paired(text, prose=prose), *_drawn(text)]
    apart: list[Part] = []
    for part in sorted(found, key=lambda part: (part[0], -part[1])):
        if not apart or part[0] >= apart[-1][1]:
            apart.append(part)
        elif part[1] > apart[-1][1]:
            apart[-1] = (apart[-1][0], part[1], apart[-1][2])
    return apart


def _with(text: str, found: list[Part]) -> str:
    pieces: list[str] = []
    at = 0
    for start, end, instead in found:
        pieces += (text[at:start], instead)
        at = end
    return "".join((*pieces, text[at:])) if pieces else text


def _formed(text: str) -> Iterator[Part]:
    """Credentials known by their own form."""
    if "-----BEGIN" in text:
        for match in _PEM.finditer(text):
            yield match.start(2), match.end(2), re.sub(r"[^\n\r]+", VALUE, match[2])
    if "eyJ" in text:
        yield from ((m.start(), m.end(), _HIDDEN_JWT) for m in _JWT.finditer(text))
    if any(sign in text for sign in _SIGNS):
        for match in _FORMATS.finditer(text):
            name = "v" if match["v"] else "v2"
            filler = VALUE * (len(match[name]) // len(VALUE) + 1)
            filler = re.sub(r"[a-z0-9]", "X", filler) if name == "v" else filler
            yield match.start(name), match.end(name), filler[: len(match[name])]
    for sign, pattern in _SIMPLE.items():
        if sign in text:
            yield from (
                (m.start("v"), m.end("v"), _of_user(m["v"]))
                for m in pattern.finditer(text)
                if not _DOCUMENTED.fullmatch(m[0])
            )


def _of_user(password: str) -> str:
    """What stands for the password of a user: references stay, since they are none."""
    return password if _HARMLESS.fullmatch(password) else VALUE


def _paired(text: str, *, prose: bool) -> Iterator[Part]:
    """What is written under a name that gives it away, line by line: few lines have such a name,
    and to look for a word costs a tenth of what a pattern does.
    """
    start = 0
    for line in text.split("\n"):
        lowered = line.lower()
        if any(word in lowered for word in _IN_NAMES) and _KEY.search(line):
            for first, end in _values(line, prose=prose):
                instead = VALUE if prose else stand_in(line[first:end])
                yield start + first, start + end, instead
        start += len(line) + 1


def _values(line: str, *, prose: bool) -> Iterator[tuple[int, int]]:
    for pattern in _UNDER_A_NAME:
        for match in pattern.finditer(line):
            groups = match.groupdict()
            name = next(name for name in ("v", "v2", "v3") if groups.get(name))
            value = match[name].rstrip("):.") if prose else match[name]  # ends of a sentence
            if _refers(match["rest"]) or _HARMLESS.fullmatch(value):
                continue
            if match[0].lower().startswith(value.lower() + (groups.get("sep") or " ")):
                continue  # ``password: password``: the name of the field, not what it holds
            is_sentence = prose and "=" not in (groups.get("sep") or "")
            if not (
                _TELLS_ADDRESS.match(match[name]) or (is_sentence and _PROSE.fullmatch(match[name]))
            ):
                yield match.start(name), match.end(name) - len(_address_in(match[name]))


def _drawn(text: str) -> Iterator[Part]:
    """Words that look drawn by lot. Of small letters, a path is several words: names of images and
    files have many such.
    """
    for match in _WORD.finditer(text):
        if not match[0].islower():
            words = [match.span()]
        else:
            words = [part.span() for part in _PART.finditer(text, *match.span())]
        for start, end in words:
            if end - start >= SHORTEST and _looks_drawn(text[start:end]):
                yield start, end, VALUE


_CLASSES = bytes(
    0 if chr(n).isdigit() else 1 if chr(n).islower() else 2 if chr(n).isupper() else 3
    for n in range(256)
)
"""Of each sign: a digit, a small letter, a capital, or none of these. A table, since a manifest may
be one long word of megabytes."""


def _looks_drawn(word: str) -> bool:
    """Whether letters and digits follow each other as no name has them. Digests and other numbers
    to the base 16 are no credentials as such.
    """
    classes = word.encode("ascii", "replace").translate(_CLASSES)
    kinds = set(classes) - {3}
    if len(kinds) < 2 or 0 not in kinds or word.count("/") > 2 or _HEX.match(word):
        return False
    changes = sum(map(operator.ne, classes, classes[1:]))
    enough = SHORTEST if len(kinds) == 3 else 24
    return len(word) >= enough and changes >= 0.35 * len(word)


def without_credentials(manifest: Manifest) -> dict[str, Any]:
    """An object in whose place nobody finds a credential. What holds none is the same value, not a
    copy; the object given stays as it was. Of one that is too deep, what is nested deeper than any
    field that Kubernetes defines is left out: it must not hide all others that are read with it.
    """
    try:
        cleaned: dict[str, Any] = _cleaned(manifest, "")
    except RecursionError:
        cleaned = _cleaned(_shallow(manifest, DEEPEST), "")
    return cleaned


class Cleaning:
    """Many objects without credentials. What several specifications hold alike, as all pods of one
    template do, is looked through once, and is one value in all of them.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], Any] = {}

    def of(self, manifest: Manifest) -> dict[str, Any]:
        """See `without_credentials`."""
        spec = manifest.get("spec")
        if not isinstance(spec, dict):
            return without_credentials(manifest)
        try:
            clean = {key: self._part(spec, key) for key in spec}
            return {**_cleaned_mapping({**manifest, "spec": None}), "spec": clean}
        except (RecursionError, TypeError):  # too deep, which orjson says by its own error
            return without_credentials(manifest)

    def _part(self, spec: dict[str, Any], key: str) -> Any:
        inside = spec[key]
        if key in _UNREAD or inside is None or isinstance(inside, int):
            return inside
        if key == "value" or not isinstance(inside, list | dict):
            return _cleaned_mapping({"name": spec.get("name"), key: inside})[key]
        about = key, orjson.dumps(inside)
        if about not in self._known:
            self._known[about] = _cleaned_mapping({key: inside})[key]
        return self._known[about]


def _shallow(value: Any, levels: int) -> Any:
    """The value without what is nested deeper than so many levels: None stands for that."""
    if not isinstance(value, dict | list) or not value:
        return value
    if levels == 0:
        return None
    if isinstance(value, list):
        return [_shallow(inside, levels - 1) for inside in value]
    return {key: _shallow(inside, levels - 1) for key, inside in value.items()}


def _cleaned(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return hidden(value, key) if len(value) > 3 else value
    if isinstance(value, dict):
        return _cleaned_mapping(value)
    return _cleaned_list(value, key) if isinstance(value, list) else value


def _cleaned_list(value: list[Any], key: str) -> list[Any]:
    before = key
    new: list[Any] = []
    for item in value:
        is_text = isinstance(item, str)
        new.append(_cleaned(item, before if is_text and not item.startswith("-") else key))
        before = item if is_text and item.startswith("-") and "=" not in item else key
    return value if all(a is b for a, b in zip(value, new, strict=True)) else new


def _cleaned_mapping(value: dict[str, Any]) -> dict[str, Any]:
    found = value
    for key, inside in value.items():
        # Most of what there is, and of no interest: looked at first.
        if key in _UNREAD or inside is None or isinstance(inside, int):
            continue
        cleaned = _cleaned(inside, _named_by(value, key))
        if cleaned is not inside:
            found = {**value} if found is value else found
            found[key] = cleaned
    return found


def _named_by(mapping: dict[str, Any], key: str) -> str:
    """What names the value under `key`: a neighbour where it is the value of a pair."""
    name = mapping.get("name") if key == "value" else None
    return name if isinstance(name, str) else key
