"""Reads the cases that `placement simulate` and `placement what-if` take: one JSON object a file.

Nothing in them is believed: every type is looked at, and what is wrong is named with its field.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import orjson

from auditor.errors import UsageError
from auditor.manifests import mapping
from auditor.model import Origin, Ref, Resource
from auditor.sources.rendered import Rendered
from auditor.values import dataclass

MOST_BYTES = 1 << 28
"""Of a case: 5,000 nodes with 150,000 pods take half of it."""

case_file = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
"""The type of the option that names a case."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as it was read."""

    name: str
    """As the user named it."""
    fields: Mapping[str, Any]

    def resources(self, key: str) -> tuple[Resource, ...]:
        """The objects of the list `key`; () where it is not there.

        Raises:
            UsageError: it is no list of objects with apiVersion, kind and name.
        """
        items = self.fields.get(key) or ()
        if not isinstance(items, (list, tuple)):
            raise self.wrong(key, "has to be a list of objects")
        return tuple(self._resource(item, f"{key}[{at}]") for at, item in enumerate(items))

    def resource(self, key: str) -> Resource:
        """The one object `key`.

        Raises:
            UsageError: it is missing, or no object with apiVersion, kind and name.
        """
        if key not in self.fields:
            raise self.wrong(key, "is missing")
        return self._resource(self.fields[key], key)

    def wrong(self, field: str, why: str) -> UsageError:
        """What to raise about a field."""
        return UsageError(f"{self.name}: {field} {why}")

    def _resource(self, item: Any, field: str) -> Resource:
        if not isinstance(item, dict):
            raise self.wrong(field, "has to be an object")
        metadata = item.get("metadata")
        if not isinstance(metadata, dict):
            raise self.wrong(f"{field}.metadata", "has to be an object")
        version, kind = (self._text(item, key, field) for key in ("apiVersion", "kind"))
        name = self._text(metadata, "name", f"{field}.metadata")
        namespace = metadata.get("namespace") or ""
        if not isinstance(namespace, str):
            raise self.wrong(f"{field}.metadata.namespace", "has to be text")
        uri = f"{self.name}#{field}"
        return Resource(Ref(version, kind, namespace, name), item, Origin(uri, Rendered(uri, item)))

    def _text(self, item: Mapping[str, Any], key: str, field: str) -> str:
        value = item.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{field}.{key}", "has to be text")
        return value


def read_case(file: Path) -> CaseFile:
    """The case in `file`, or on standard input where that is ``-``.

    Raises:
        UsageError: it is no JSON object, or larger than `MOST_BYTES`.
    """
    name = "standard input" if str(file) == "-" else str(file)
    body = _read(file)
    if len(body) > MOST_BYTES:
        raise UsageError(f"{name}: has more than {MOST_BYTES >> 20} MiB")
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{name}: is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UsageError(f"{name}: has to be one JSON object")
    return CaseFile(name, mapping(fields))


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)
