"""What Rego no policy may use, whoever wrote it: policies of users run beside ours.

A list of what is allowed, since a list of what is not would miss the next release's built-in
functions, and a name can be written in many ways: `http["send"]`, `http . send`, `$"{…}"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from auditor.errors import PolicyError

BANNED = {
    "http.send": "a policy must not use the network",
    "opa.runtime": "a policy must not read the environment",
    "net.lookup_ip_addr": "a policy must not use the network",
    "time.now_ns": "the same input must give the same answer",
    "rand.intn": "the same input must give the same answer",
    "uuid.rfc4122": "the same input must give the same answer",
    "json.match_schema": "a schema may lead to the network",
    "json.verify_schema": "a schema may lead to the network",
    "rego.metadata": "METADATA is read by the loader; the engines differ here",
    "rego.parse_module": "a policy must not make another",
    "providers.aws": "a policy holds no credentials",
    "io.jwt": "no engine of ours has it",
    "crypto.": "regorus does not have it",
    "print(": "it ends up in no report",
    "trace(": "it ends up in no report",
}
"""What is not allowed, and why: https://www.openpolicyagent.org/docs/policy-reference."""

_PLAIN = """
abs all and any ceil concat contains count div endswith eq equal floor format_int gt gte indexof
indexof_n intersection is_array is_boolean is_null is_number is_object is_set is_string lower lt lte
max min minus mul neq or plus product rem replace round set_diff sort split sprintf startswith
substring sum to_number trim trim_left trim_prefix trim_right trim_space trim_suffix type_name union
upper walk
"""
_FOLDERS = {
    "array": "concat flatten reverse slice",
    "base64": "decode encode is_valid",
    "base64url": "decode encode encode_no_pad",
    "bits": "and lsh negate or rsh xor",
    "glob": "match quote_meta",
    "graph": "reachable reachable_paths",
    "hex": "decode encode",
    "json": "filter is_valid marshal marshal_with_options patch remove unmarshal",
    "net": "cidr_contains cidr_contains_matches cidr_expand cidr_intersects cidr_is_valid "
    "cidr_merge",
    "numbers": "range range_step",
    "object": "filter get keys remove subset union union_n",
    "regex": "find_all_string_submatch_n find_n globs_match is_valid match replace split "
    "template_match",
    "semver": "compare is_valid",
    "strings": "any_prefix_match any_suffix_match count render_template replace_n reverse",
    "time": "add_date clock date diff format parse_duration_ns parse_ns parse_rfc3339_ns weekday",
    "units": "parse parse_bytes",
    "urlquery": "decode decode_object encode encode_object",
    "yaml": "is_valid marshal unmarshal",
}
ALLOWED = frozenset(
    chain(
        _PLAIN.split(),
        (f"{folder}.{name}" for folder, names in _FOLDERS.items() for name in names.split()),
    )
)
"""The built-in functions that a policy may call: they answer from what they are given alone."""
_TAKEN = frozenset(
    (*_FOLDERS, "crypto", "graphql", "http", "internal", "io", "opa", "providers", "rand", "rego",
     "uri", "uuid")
)  # fmt: skip
"""The folders of built-in functions: no import may stand for one."""
_WORDS = frozenset(("if", "in", "not", "some", "every", "else", "with", "as", "contains"))

_NO_CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|#[^\n]*')
"""Strings and comments."""
_CALL = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)\s*\(")
_IMPORT = re.compile(r"^\s*import\s+([\w.]+)(?:\s+as\s+(\w+))?", re.MULTILINE)
_DEFINED = re.compile(r"^(?:default\s+)?([A-Za-z_]\w*)\(", re.MULTILINE)


def lint(file: str, text: str) -> None:
    """Look at a module before it is compiled.

    Raises:
        PolicyError: it uses what no policy may use, or what one of the engines cannot do.
    """
    code = _NO_CODE.sub(_blank, text)
    for offset, why in chain(_banned(code), _hidden(code), _calls(code), _for_regopy(code)):
        raise PolicyError(f"{file}:{code.count(chr(10), 0, offset) + 1}: {why}")


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _banned(code: str) -> Iterator[tuple[int, str]]:
    for word, why in BANNED.items():
        if word.partition(".")[0].rstrip("(") not in code:
            continue
        pattern = re.escape(word).replace(r"\.", r"\s*\.\s*").replace(r"\(", r"\s*\(")
        for found in re.finditer(rf"(?<![\w.]){pattern}", code):
            yield found.start(), f"'{word.rstrip('(.')}' is not allowed: {why}"


def _hidden(code: str) -> Iterator[tuple[int, str]]:
    """Ways to call a function whose name cannot be read here."""
    for found in re.finditer(r"\$", code):
        yield found.start(), "a template string is not allowed: it may hide a call; use sprintf"
    for found in re.finditer(r"[\])}]\s*\(", code):
        if "\n" not in found[0]:
            yield found.start(), "a function is called by its name alone"


def _calls(code: str) -> Iterator[tuple[int, str]]:
    imported = set()
    for found in _IMPORT.finditer(code):
        name = found[2] or found[1].rpartition(".")[2]
        imported.add(name)
        if name in _TAKEN and found[1] != "rego.v1":
            yield found.start(), f"'{name}' is a name of built-in functions; import it as another"
    defined = set(_DEFINED.findall(code))
    for found in _CALL.finditer(code):
        name = re.sub(r"\s", "", found[1])
        first = name.partition(".")[0]
        known = name in ALLOWED or name in _WORDS or name in defined
        if not known and not ("." in name and (first == "data" or first in imported)):
            yield found.start(), f"'{name}' is no function that a policy may call"


def _for_regopy(code: str) -> Iterator[tuple[int, str]]:
    for found in re.finditer(r"\bsome\s+\w+\s*,\s*\w+\s+in\b", code):
        if _in_comprehension(code[: found.start()]):
            why = "regopy cannot parse it; write a helper rule"
            yield found.start(), f"'some k, v in' inside a comprehension: {why}"
    package = re.search(r"^package[ \t]+policies\.", code, re.MULTILINE)
    if package and not re.search(r"^deny[ \t]+contains\b", code, re.MULTILINE):
        yield package.start(), "a policy needs a rule 'deny contains … if'"


def _in_comprehension(before: str) -> bool:
    """Whether a comprehension is still open where `before` ends."""
    bars: list[bool] = []
    for sign in before:
        if sign in "[{(":
            bars.append(False)
        elif sign in "]})" and bars:
            bars.pop()
        elif sign == "|" and bars:
            bars[-1] = True
    return any(bars)
