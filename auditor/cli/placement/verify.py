"""`auditor placement verify`: shows again, offline, what was shown of a fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import answer_form

if TYPE_CHECKING:
    from auditor.fixes.certificates.checking import Checked


@click.command(short_help="Show again what was shown of a fix.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="CERT...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@answer_form("text", "json")
def verify(files: tuple[Path, ...], form: str) -> int:
    """Show again, level by level, what each CERT says of a fix (`auditor fix --certificates`), from
    nothing but what the file holds. Ends with 1 where a level does not hold, or not as it says.
    """
    from auditor.fixes.certificates.checking import checked, is_whole
    from auditor.fixes.certificates.document import read

    good = True
    answers = []
    for file in files:
        document = read(file.read_bytes(), str(file))
        whole = is_whole(document)
        levels = checked(document) if whole else ()
        good = good and whole and all(each.agrees and each.found is not False for each in levels)
        answers.append((file, document.object, document.title, levels))
    if form == "json":
        click.echo(_json(answers))
    else:
        for answer in answers:
            _say(*answer)
    return 0 if good else 1


Answer = tuple[Path, str, str, "tuple[Checked, ...]"]


def _say(file: Path, about: str, title: str, levels: tuple[Checked, ...]) -> None:
    from auditor.cli.screen import say

    say(f"{file}: {about}: {title}")
    if not levels:
        say("  its state is not the one that it was made of: nothing in it is believed")
    for each in levels:
        say(f"  {each.level.value}  {_verdict(each)}  {each.level.means}: {each.told}")


def _verdict(each: Checked) -> str:
    if not each.agrees:
        return "differs"
    return {True: "holds  ", False: "fails  ", None: "unknown"}[each.found]


def _json(answers: list[Answer]) -> str:
    import orjson

    documents = [
        {
            "file": str(file),
            "object": about,
            "title": title,
            "whole": bool(levels),
            "levels": {
                each.level.value: {
                    "said": each.said,
                    "found": each.found,
                    "agrees": each.agrees,
                    "told": each.told,
                }
                for each in levels
            },
        }
        for file, about, title, levels in answers
    ]
    return orjson.dumps(documents, option=orjson.OPT_INDENT_2).decode()
