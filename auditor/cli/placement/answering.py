"""How `drain`, `lose` and `rollout` answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from auditor.cli.network.outputs import Forms
    from auditor.cli.placement.reading import Reading
    from auditor.facts.controllers.case import Behaviour
    from auditor.facts.scenarios.outcome import Effect, Outcome

FATES = {"ready": "", "never": "never", "crash": "crash", "imagepull": "imagepull"}

new_pods = click.option(
    "--new-pods",
    "fate",
    type=click.Choice(tuple(FATES)),
    default="ready",
    show_default=True,
    help="What becomes of the pods that are made: they get ready, never do, crash, or their image"
    " cannot be pulled.",
)


def behaviour_of(fate: str) -> Behaviour:
    """What --new-pods says."""
    from auditor.facts.controllers.case import Behaviour

    return Behaviour(ready=FATES[fate])


def answered(reading: Reading, outputs: Forms, ask: Callable[[], Outcome]) -> int:
    """Ask, write the answer, and give the exit code."""
    from auditor.cli.placement.reading import say_read
    from auditor.memory import collector_paused

    say_read(reading, quiet=outputs.quiet)
    with collector_paused():
        outcome = ask()
    effects = [each for each in outcome.effects if _within(reading, each)]
    doubts = (
        *outcome.doubts,
        *reading.missing,
        *reading.facts.standing.whereabouts(reading.seed).doubts,
    )
    doubts = tuple(dict.fromkeys(doubts))
    outputs.write(lambda form: _rendered(form, outcome, effects, doubts, reading, outputs))
    return reading.code(doubts, harm=outcome.harmful)


def _within(reading: Reading, effect: Effect) -> bool:
    found = reading.facts.snapshot.find(effect.group.ref)
    return found is None or reading.territory.holds(found)


def _rendered(
    form: str,
    outcome: Outcome,
    effects: list[Effect],
    doubts: tuple[str, ...],
    reading: Reading,
    outputs: Forms,
) -> str:
    from auditor.reporters.encoded import encoded
    from auditor.reporters.placement import scenario

    if form == "json":
        return encoded(scenario.document(outcome, effects, doubts, reading.gaps))
    screen = outputs.terminal
    lines = scenario.text(outcome, effects, doubts, screen)
    return str(screen.shown("\n".join(lines) + "\n"))
