"""A live object as a person would read it: YAML, with the place of every field."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from auditor.model import Manifest, Path, Span

if TYPE_CHECKING:
    from auditor.model import Lines

_PLAIN = re.compile(r"[A-Za-z/][^\x00-\x1f\x7f-\x9f]*\Z")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Texts that one YAML reader or another takes for something else."""


class Rendered:
    """The manifest of a live object as YAML, made when somebody looks (`auditor.model.Lines`)."""

    def __init__(self, uri: str, manifest: Manifest) -> None:
        self._uri = uri
        self._manifest = manifest

    @cached_property
    def text(self) -> str:
        """The manifest as one YAML document; read again, it is the same manifest."""
        return yaml.dump(
            self._manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31 - 1
        )

    def span(self, path: Path) -> Span:
        """The region in `text` of the field at `path`, or of its nearest ancestor."""
        return self._document.span(path)

    @cached_property
    def _document(self) -> Lines:
        from auditor.sources.yaml import documents

        return next(iter(documents(self._uri, self.text)))


class _Dumper(yaml.CSafeDumper):
    """Quotes what any reader of YAML 1.1 or 1.2 could take for a number, a date or a truth."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Never: what is equal is written twice."""
        return True


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    if "\n" in value:
        style: str | None = "|"
    else:
        clear = _PLAIN.match(value) and value.lower() not in _WORDS
        style = None if clear else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
