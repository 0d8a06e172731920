"""Hides what may be a credential in values files and templates, which are no objects.

Nobody knows what a chart makes of a value: what is written under a key that sounds like a variable,
an argument or data is not shown, nor is a word in a template under a key that is not known.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.model import Path, Resource
from auditor.reporters.masks import HIDDEN
from auditor.sources.yaml import Document

_HANDED_ON = re.compile(
    r"env|arg|command|data|secret|config|auth|cred|header|annotation|param|option|init|script|url|uri",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"(?P<key>\s*(?:-\s+)*(?:[\"']?(?P<name>[\w./-]+)[\"']?:(?:\s+|$))?)(?P<rest>.*)"
)
_ACTION = re.compile(r"\{\{.*?\}\}")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_PLAIN = re.compile(r"(?:true|false|null|~|[0-9]{1,5}|[|>][-+]?|\[\]|\{\})?\Z")
_SHOWN = frozenset(
    (
        *("apiVersion", "cpu", "dnsPolicy", "effect", "image", "imagePullPolicy", "kind", "medium"),
        *("memory", "mountPath", "name", "namespace", "path", "protocol", "restartPolicy"),
        *("seccompProfile", "serviceAccount", "serviceAccountName", "tag", "type"),
    )
)


def may_be_handed_on(path: Path, value: Any) -> bool:
    """Whether a value of a values file may reach a program as a variable or an argument."""
    keys = [step for step in path if isinstance(step, str)]
    return isinstance(value, str) and any(map(_HANDED_ON.search, keys))


def is_template(resource: Resource) -> bool:
    """Whether it stands for a template."""
    return not resource.ref.kind and not isinstance(resource.origin.lines, Document)


def masked_template_line(line: str) -> str:
    """A line of a template without the words in it that may be anything."""
    found = _LINE.match(line)
    rest = found["rest"] if found else line
    if not found or not _ACTION.sub("", rest).strip() or found["name"] in _SHOWN:
        return line
    if _PLAIN.match(_COMMENT.sub("", _ACTION.sub("", rest)).strip()):
        return line
    shown = re.sub(r"[^\r\n]", HIDDEN, rest)
    return line[: found.end("key")] + shown + line[found.end("rest") :]
