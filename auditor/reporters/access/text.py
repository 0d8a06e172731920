"""Who may do what, and who comes to more, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.escalation import Chain, Step
from auditor.reporters.access.told import place_of, words
from auditor.reporters.network.told import fit
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted


def chain_lines(one: Chain, terminal: Terminal) -> Iterator[str]:
    """A way, a step a line with what gives the rights for it."""
    target = fit(str(one.steps[-1].target))
    yield f"{terminal.paint('bold', fit(str(one.start)))} comes to {terminal.paint('bad', target)}"
    for number, step in enumerate(one.steps, 1):
        body = f"{fit(str(step.target))}: {fit(step.told)}{_assumed(step)}"
        yield f"  {number}. {terminal.wrapped(body, 5, 5)}"
        for line in right_lines(step):
            yield f"     {terminal.paint('link', line)}"


def _assumed(step: Step) -> str:
    return " (assumed: the API server makes it so)" if step.assumed else ""


def right_lines(step: Step) -> Iterator[str]:
    """The rights that a step takes, each with its binding and its place."""
    for right in step.rights:
        if right.bound:
            by = f"{fit(words(right.bound))}  {fit(place_of(right.bound.binding))}"
            yield f"{fit(str(right))}  {by}"
    if step.others:
        yield f"or by {', '.join(fit(str(right)) for right in step.others)}"


def summary(found: int, subjects: int, workloads: int) -> str:
    """The last line."""
    asked = f"{counted(subjects, 'subject')} of bindings, {counted(workloads, 'workload')}"
    who = f"{found or 'none'} of {subjects + workloads} ({asked} with a token)"
    if not found:
        return f"{who} comes to every right."
    comes, holds = ("comes", "holds") if found == 1 else ("come", "hold")
    return f"{who} {comes} to every right (cluster-admin), or {holds} it"


def step_lines(steps: Sequence[Step], terminal: Terminal) -> Iterator[str]:
    """What somebody can do at once to come to more."""
    for step in steps:
        body = f"{fit(str(step.target))}: {fit(step.told)} ({step.by})"
        yield f"  {terminal.wrapped(body, 4, 4)}"
        for line in right_lines(step):
            yield f"    {terminal.paint('link', line)}"
