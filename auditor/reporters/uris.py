"""Turns the names of files into URIs. Known to the SARIF report alone."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

ROOT = "%SRCROOT%"
CLUSTER = "CLUSTER"
BASES = {
    ROOT: {"description": {"text": "The folder in which the audit was called."}},
    CLUSTER: {
        "description": {
            "text": "The cluster: one made-up file per live object, written as YAML. "
            "A star stands for each character that may be of a credential."
        }
    },
}
"""What relative URIs start from. It says no folder: the report is read on other machines."""


def located(name: str, *, live: bool) -> dict[str, str]:
    """The artifactLocation of a file as the user named it, or of a live object's made-up path."""
    if live:
        return {"uri": _quoted(name), "uriBaseId": CLUSTER}
    return _located(name, os.getcwd())  # noqa: PTH109 the key of a cache, asked ten thousand times


@lru_cache(maxsize=1024)
def _located(name: str, here: str) -> dict[str, str]:
    """Relative where the file is below this folder, as code scanning demands; links are followed
    unless they lead out of it.
    """
    lexical = os.path.abspath(name)  # noqa: PTH100 keeps links
    for path in (Path(os.path.realpath(name)), Path(lexical)):
        if path.is_relative_to(here):
            return {"uri": _quoted(path.relative_to(here).as_posix()), "uriBaseId": ROOT}
    return {"uri": "file://" + _quoted(Path(os.path.realpath(name)).as_posix())}


def _quoted(path: str) -> str:
    """Percent-encoded from its bytes: a name need not be UTF-8. A colon could pass for a scheme."""
    return quote(os.fsencode(path), safe="/")
