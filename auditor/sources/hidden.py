"""Looks whether a folder whose name begins with a dot holds manifests. They are not audited: most
such folders are of tools, and who has others is told of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from auditor.model import Gap, Unseen

OF_TOOLS = frozenset(
    (".bzr", ".cache", ".cargo", ".circleci", ".direnv", ".eggs", ".git", ".github", ".gitlab",
     ".gradle", ".hg", ".hypothesis", ".idea", ".m2", ".mypy_cache", ".next", ".nox", ".npm",
     ".nuxt", ".pnpm-store", ".pytest_cache", ".ruff_cache", ".svn", ".terraform", ".tox", ".venv",
     ".vscode", ".yarn")
)  # fmt: skip
"""Folders of programs, which are not looked into at all; docs/limits.md names them."""
MOST_FILES = 1000
"""How many files of one folder are looked at."""
_HEAD = 1 << 16
_VERSION, _KIND = (
    re.compile(rb"(?:^|[\s{,])[\"']?%b[\"']?[ \t]*:" % key, re.MULTILINE)
    for key in (b"apiVersion", b"kind")
)


def may_hold_manifests(name: str) -> bool:
    """Whether a folder of that name is looked into. Those that begin with two dots are of
    Kubernetes, which mounts a ConfigMap by links into them.
    """
    return name.startswith(".") and not name.startswith("..") and name not in OF_TOOLS


def unaudited(path: str, named: str, endings: tuple[str, ...]) -> Gap | None:
    """The gap for a folder that holds manifests; None where none of its files is one."""
    files = _files(path, endings)
    if any(_is_manifest(file) for file in islice(files, MOST_FILES)):
        held = "it holds manifests"
    elif next(files, None):
        held = f"it holds more than {MOST_FILES} files that may be manifests"
    else:
        return None
    why = f"its name begins with a dot, and {held}: what no build uses of it was not audited"
    return Gap(named, f"{why}; name it to audit it", Unseen.UNKNOWN)


def _files(path: str, endings: tuple[str, ...]) -> Iterator[str]:
    for folder, folders, files in os.walk(path):
        inner = (one for one in folders if not one.startswith(".") or may_hold_manifests(one))
        folders[:] = sorted(one for one in inner if one != "node_modules")
        yield from (str(Path(folder, one)) for one in sorted(files) if _ends(one, endings))


def _ends(name: str, endings: tuple[str, ...]) -> bool:
    return name.lower().endswith(endings)


def _is_manifest(file: str) -> bool:
    if not Path(file).is_file():  # a pipe would be waited for
        return False
    try:
        with Path(file).open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        return True  # nobody can say that it is none
    return bool(_VERSION.search(head) and _KIND.search(head))
