"""The text of live objects for a report, without whatever may be a credential.

An excerpt shows one line; this shows all of them, so that it hides more: every annotation, options
of drivers, texts that look like a URL with a login or a query, and of kinds that are not those of
Kubernetes, every text. Each hidden character leaves another one, so that regions stay true.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.model import Path, Resource
from auditor.reporters.masks import HIDDEN, masked
from auditor.reporters.places import lines_of, text_of

STAR = "*"
_OPAQUE = frozenset(("annotations", "volumeAttributes", "options", "parameters", "config"))
_TELLING = re.compile(
    r"://[^/\s]*@|[?&][^=\s]+=|(?:token|passw|secret|credential|api-?key)[\w.-]*\s*[=:]",
    re.IGNORECASE,
)
_IDENTITY = frozenset((("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")))


def contents(resource: Resource) -> str:
    """The text that the regions of the object are of; a star for each character that is hidden."""

    def hidden(path: Path, value: Any) -> bool:
        if path in _IDENTITY:
            return False
        foreign = "." in resource.ref.group and not resource.ref.group.endswith(".k8s.io")
        if not _OPAQUE.isdisjoint(path):
            return True
        return isinstance(value, str) and (foreign or bool(_TELLING.search(value)))

    lines = lines_of(text_of(resource.origin.lines))
    return "\n".join(masked(resource, lines, 0, hidden)).replace(HIDDEN, STAR)
