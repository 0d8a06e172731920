"""Runs git so that a repository of somebody's has no say in it: no hook, filter, helper or monitor
is started, nothing is fetched, nobody is asked, nothing is written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from auditor.errors import UsageError

_SETTINGS = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "protocol.allow=never")
_QUIET = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "LC_ALL": "C",
}
"""Messages come in the language in which we look for them."""
_REDIRECTING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")


def git(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """What a command says in the repository of `folder`, else of the current one.

    Raises:
        UsageError: there is no git here.
    """
    return subprocess.run(  # noqa: S603 - a list, to a program that we chose
        command(*arguments, folder=folder),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        env=environment(),
    )


def command(*arguments: str, folder: Path | None = None) -> list[str]:
    """The words of a command.

    Raises:
        UsageError: there is no git here.
    """
    program = shutil.which("git")
    if program is None:
        raise UsageError("no git here to read a revision with")
    where = ["-C", str(folder)] if folder else []
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    return [program, *where, "--no-pager", *settings, *arguments]


def environment() -> dict[str, str]:
    """The variables of a command: ours, without those that would lead it elsewhere."""
    kept = {key: value for key, value in os.environ.items() if key not in _REDIRECTING}
    return kept | _QUIET
