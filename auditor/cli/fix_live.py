"""`auditor fix --cluster`: the proven fixes of live objects as commands that people run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.joint import Most
from auditor.cli.left import is_proven_live, say_nothing

if TYPE_CHECKING:
    from auditor.cli.options import Access, Chosen
    from auditor.model import Audit, Change, Finding, Snapshot


def together(answer: Audit, wanted: Sequence[Finding], chosen: Chosen) -> Most[tuple[Change, ...]]:
    """The changes that go together, one for each object."""
    most: Most[tuple[Change, ...]] = Most(lambda some: _together(answer, some, chosen), ())
    if wanted:
        most.take(wanted)
    return most


def show(answer: Audit, most: Most[tuple[Change, ...]], access: Access, *, confirm: bool) -> bool:
    """Print, for every object that the wanted fixes touch, one command of kubectl; nothing is
    applied. With `confirm` the API server is asked about each (server-side dry run). Whether it
    would take all of them.

    Raises:
        ClusterError: see there.
    """
    from auditor.reporters.boundaries import mending_line

    changes, wanted = most.made, most.taken
    refusals = _refusals(answer.snapshot, changes, access) if confirm else None
    for number, change in enumerate(changes):
        for finding in wanted:
            if finding.fix and _touches(finding, change):
                _comment(f"{finding.policy.id} {finding.ref}: {finding.fix.title}")
                for assumed in finding.fix.proof.assumes:
                    _comment(f"assumed: {assumed}")
                if where := mending_line(finding):
                    _comment(f"mend it in {where}")
        if refusals is not None:
            refused = refusals[number]
            _comment(
                f"the API server refuses it: {refused}" if refused else "the API server agrees"
            )
        click.echo(_command(answer.snapshot, change, access))
    if not wanted:
        say_nothing(answer, is_proven_live)
    return not any(refusals or ())


def _together(answer: Audit, wanted: Sequence[Finding], chosen: Chosen) -> tuple[Change, ...]:
    """One change for each object, proven as one: two patches of the same object, one after the
    other, could undo each other.
    """
    from auditor.cli.as_one import prove_as_one
    from auditor.errors import WriteError
    from auditor.fixes.together import ClashError, merged

    if not wanted:
        return ()
    try:
        changes = merged(answer.snapshot, [f.fix for f in wanted if f.fix])
    except ClashError as error:
        raise WriteError(str(error)) from error
    prove_as_one(answer, wanted, changes, chosen)
    return changes


def _touches(finding: Finding, change: Change) -> bool:
    key = change.resource.ref.key
    touched = finding.fix.changes if finding.fix else ()
    return any(other.resource.ref.key == key for other in touched)


def _comment(text: str) -> None:
    from auditor.text import escaped

    click.echo(f"# {escaped(text)}")


def _command(snapshot: Snapshot, change: Change, access: Access) -> str:
    """What a person types. A patch names the object; a new object follows on standard input."""
    import orjson

    from auditor.sources.kinds import kind_of
    from auditor.sources.rendered import Rendered

    ref = change.resource.ref
    if _is_new(snapshot, change):
        text = Rendered("", change.resource.manifest).text
        words = ["kubectl", *access.flags, "create", "--filename=-"]
        return f"{shlex.join(words)} <<'END'\n{text}END"
    kind = kind_of(ref)
    steps = orjson.dumps(_steps(snapshot, change)).decode()
    words = ["kubectl", *access.flags, "patch", ".".join(filter(None, (kind.plural, kind.group)))]
    words += [ref.name, *([f"--namespace={ref.namespace}"] if ref.namespace else [])]
    return shlex.join([*words, "--type=json", f"--patch={steps}"])


def _is_new(snapshot: Snapshot, change: Change) -> bool:
    return bool(change.beside) or snapshot.find(change.resource.ref) is None


def _steps(snapshot: Snapshot, change: Change) -> list[dict[str, Any]]:
    from auditor.reporters.patches import json_patch

    before = snapshot.find(change.resource.ref)
    assert before is not None
    return json_patch(before.manifest, change.operations)


def _refusals(snapshot: Snapshot, changes: Sequence[Change], access: Access) -> list[str]:
    """Why the API server would not take each change; empty where it would."""
    from auditor.sources.changes import creating, patching
    from auditor.sources.cluster import Connection, RefusedError

    connection = Connection(access.kubeconfig, access.context)
    said = []
    for change in changes:
        ref = change.resource.ref
        new = _is_new(snapshot, change)
        request = (
            creating(ref, change.resource.manifest)
            if new
            else patching(ref, _steps(snapshot, change))
        )
        try:
            connection.dry_run(request)
            said.append("")
        except RefusedError as refused:
            said.append(str(refused))
    return said
