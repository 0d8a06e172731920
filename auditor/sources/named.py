"""Which of the paths that were named hold nothing: a slip of the pen, more often than not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from auditor.model import Gap, Unseen
from auditor.sources.folders import STDIN, matches, shown


def empty(paths: Sequence[str], told: Iterable[str]) -> Iterator[Gap]:
    """A gap for each path without an object, beside others that have some. `told` are the files
    that had something to tell; where none had, there is nothing to audit, and that is said whole.
    """
    real = {_real(path) for path in told}
    if not real:
        return
    above = {folder for path in real for folder in _upwards(path)}
    for path in dict.fromkeys(paths):
        if not any(_real(one) in above for one in matches(path)):
            what = "<stdin>" if path == STDIN else shown(path)
            yield Gap(what, "no Kubernetes object is in it", Unseen.INCOMPLETE)


def _real(path: str) -> str:
    return path if path == STDIN else os.path.realpath(path)


def _upwards(path: str) -> Iterator[str]:
    """The path, and every folder that it is in."""
    yield path
    while (folder := os.path.dirname(path)) not in {path, ""}:  # noqa: PTH120 - 10 times as fast
        yield (path := folder)
