"""Runs what a page shows, from top to bottom, and compares it with what the page says comes of it.

A block ``console`` holds commands after ``$``, each with its output; ``$ echo $?`` asks for the
exit code of the one before. A line ``…`` stands for lines that are left out, ``…`` at the end of a
line for the rest of it: nothing else may differ. A block that names a file after its language is
that file.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "…"


@dataclass(frozen=True, slots=True)
class Shown:
    """A command, and what a page shows of its output."""

    command: str
    output: tuple[str, ...]


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Language, file name (or nothing) and text of every block."""
    return ((found[1], found[2], found[3]) for found in BLOCK.finditer(page))


def replay(page: str, folder: Path) -> None:
    """Write the files of a page into ``folder``, and run its commands there, in their order."""
    code = None
    for language, name, text in blocks(page):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        for shown in commands(text) if language == "console" else ():
            if shown.command == "echo $?":
                assert shown.output == (str(code),), f"{shown}: ended with {code}"
                continue
            code = _run(shown, folder)


def commands(block: str) -> Iterator[Shown]:
    """The commands of a console, each with what follows it."""
    for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *output = each.rstrip("\n").split("\n")
        yield Shown(command, tuple(output))


def _run(shown: Shown, folder: Path) -> int:
    program, *words = shlex.split(shown.command, comments=True)
    assert program == "auditor", f"{shown.command}: only the product's own command is run"
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode in {0, 1, 4}, f"{shown.command}\n{done.stderr}"
    missing = differs(shown.output, done.stdout.rstrip("\n").splitlines())
    assert missing is None, f"{shown.command}\nnot in its output: {missing}\n{done.stdout}"
    return done.returncode


def differs(shown: Sequence[str], real: Sequence[str]) -> str | None:
    """The first line that is shown and is not there, in its place; None where all is as shown."""
    at, runs = 0, _runs(shown)
    for number, run in enumerate(runs):
        last = number == len(runs) - 1
        starts: Sequence[int] = range(at, len(real) - len(run) + 1)
        starts = starts[:1] if number == 0 else starts
        starts = starts[-1:] if last and number else starts
        found = next((start for start in starts if _same(run, real[start:])), None)
        if found is None or (last and found + len(run) != len(real)):
            return "\n".join(run) or "(the end)"
        at = found + len(run)
    return None


def _runs(shown: Sequence[str]) -> list[list[str]]:
    """What stands together: lines between those that say that something is left out."""
    runs: list[list[str]] = [[]]
    for line in shown:
        if line.strip() == LEFT_OUT:
            runs.append([])
        else:
            runs[-1].append(line)
    return runs


def _same(run: Sequence[str], real: Sequence[str]) -> bool:
    return all(_fits(line, other) for line, other in zip(run, real, strict=False))


def _fits(shown: str, real: str) -> bool:
    if shown.endswith(" " + LEFT_OUT):
        return real.startswith(shown.removesuffix(LEFT_OUT))
    return shown.rstrip() == real.rstrip()
