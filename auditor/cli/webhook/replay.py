"""`auditor webhook replay`: recorded reviews, answered by two configurations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.ends import ends_with
from auditor.cli.options import (
    PolicyOptions,
    choice_of_policies,
    choose,
    read_variants,
    together,
)
from auditor.cli.screen import say
from auditor.cli.webhook.preview import as_json, tell_reviews
from auditor.cli.webhook.terms import Asked, court_for, rehearsing

if TYPE_CHECKING:
    from auditor.model import Snapshot
    from auditor.webhook.rehearsal import Answered, Recorded

Pair = tuple["Answered", "Answered"]


@click.command(short_help="Say how recorded reviews would be answered, and what a change does.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CONFIG",
    help="Another configuration: what would change with it.",
)
@click.option(
    "--against-policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Another version of all policies: what would change with it.",
)
@click.option("--state", metavar="PATH", help="The cluster before: files or a saved snapshot.")
@choice_of_policies
@rehearsing
def replay(
    files: tuple[Path, ...],
    against: Path | None,
    against_policies: Path | None,
    state: str | None,
    policies: PolicyOptions,
    asked: Asked,
) -> int:
    """Answer the AdmissionReviews in FILES (or folders, or '-'), one after the other, without a
    cluster.

    With --against or --against-policies, say which answers change. Ends with 1 where one does; or
    without these, where something would be denied; and with 4 where one could not be judged.
    """
    from auditor.model import Snapshot
    from auditor.webhook.rehearsal import recorded

    reviews = tuple(recorded(files))
    live = Snapshot(())
    if state:
        building = choose(policies, Path(), workers=False).building
        live = together(read_variants((state,), building))
    base = _answers(reviews, live, policies, asked)
    if against is None and against_policies is None:
        return _tell_alone(base, asked.form)
    other = policies
    if against:
        other = replace(other, config=against)
    if against_policies:
        other = replace(other, policies_folders=(against_policies,), no_builtin_policies=True)
    return _tell_changes(
        tuple(zip(base, _answers(reviews, live, other, asked), strict=True)), asked
    )


def _answers(
    reviews: Sequence[Recorded], live: Snapshot, policies: PolicyOptions, asked: Asked
) -> tuple[Answered, ...]:
    from auditor.webhook.rehearsal import rehearsed

    chosen = choose(policies, Path(), workers=False)
    return tuple(rehearsed(reviews, live, court_for(chosen, live), asked.terms(chosen)))


def _tell_alone(answers: Sequence[Answered], form: str) -> int:
    if form == "json":
        _echo({"schema": "auditor-webhook-replay/1", "reviews": [as_json(a) for a in answers]})
    else:
        tell_reviews(answers)
    verdicts = {answer.verdict for answer in answers}
    return ends_with("deny" in verdicts, "fail" in verdicts)


def _tell_changes(pairs: Sequence[Pair], asked: Asked) -> int:
    changed = [(old, new) for old, new in pairs if _differ(old, new)]
    if asked.form == "json":
        _echo(
            {
                "schema": "auditor-webhook-replay/1",
                "reviews": len(pairs),
                "changes": [{"before": as_json(o), "after": as_json(n)} for o, n in changed],
            }
        )
    else:
        say(f"Of {len(pairs)} recorded reviews, {len(changed)} would be answered otherwise.")
        for old, new in changed:
            _tell_change(old, new)
    failed = any("fail" in {old.verdict, new.verdict} for old, new in pairs)
    return ends_with(changed, failed)


def _differ(old: Answered, new: Answered) -> bool:
    return old.verdict != new.verdict or old.said != new.said


def _tell_change(old: Answered, new: Answered) -> None:
    say(f"{old.verdict} → {new.verdict}: {new.what} ({new.origin})")
    for sign, more, less in (("-", old, new), ("+", new, old)):
        for mode, text in sorted(more.said - less.said):
            if text:
                say(f"  {sign} {mode}: {text}")


def _echo(document: object) -> None:
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
