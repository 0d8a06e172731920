"""`auditor webhook preview`: what would be denied, before anything is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.ends import ends_with
from auditor.cli.options import (
    Access,
    Chosen,
    PolicyOptions,
    choice_of_policies,
    choose,
    cluster_access,
    read_variants,
    start_folder,
    together,
)
from auditor.cli.screen import say
from auditor.cli.webhook.terms import Asked, Missing, court_for, rehearsing

if TYPE_CHECKING:
    from auditor.declared import Admission, Mode
    from auditor.model import Finding, Snapshot
    from auditor.webhook.decide import Found
    from auditor.webhook.rehearsal import Answered

NAMED = 5
"""So many objects are named in a line; the rest is counted."""


@click.command(short_help="Say what would be denied, before anything is.")
@click.argument("path", required=False, type=click.Path())
@click.option("--cluster", is_flag=True, help="The objects of the live cluster.")
@click.option(
    "--reviews",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
    help="Recorded AdmissionReviews, one in a file or in each line, or a folder of such files; '-'"
    " is standard input. They are asked of that state.",
)
@cluster_access
@choice_of_policies
@rehearsing
def preview(
    path: str | None,
    cluster: bool,
    reviews: tuple[Path, ...],
    kubeconfig: str | None,
    context: str | None,
    policies: PolicyOptions,
    asked: Asked,
) -> int:
    """Say what the webhook would deny or warn of, by the rules of the configuration.

    Each object of PATH, which is files or a saved snapshot, or of the live cluster, as if it were
    created now beside all others; and each recorded review. Ends with 1 where something would be
    denied, and with 4 where something could not be seen that nobody has acknowledged.
    """
    from auditor.errors import UsageError
    from auditor.webhook.rehearsal import recorded, rehearsed

    if not (path or cluster or reviews):
        raise UsageError("name files or a snapshot, or --cluster, or --reviews FILE")
    paths = (path,) if path else ()
    chosen = choose(policies, start_folder(paths), workers=False)
    live = _live(chosen, paths, Access(kubeconfig, context) if cluster else None)
    court, terms = court_for(chosen, live), asked.terms(chosen)
    audit = court.live(live)
    state = _of_state(audit.open, terms)
    answers = tuple(rehearsed(recorded(reviews), live, court, terms))
    missing = Missing.of(audit)
    (_tell_json if asked.form == "json" else _tell)(state, answers, missing)
    verdicts = {*(mode.value for mode, _ in state), *(answer.verdict for answer in answers)}
    return ends_with("deny" in verdicts, missing.gaps or "fail" in verdicts)


def _live(chosen: Chosen, paths: tuple[str, ...], access: Access | None) -> Snapshot:
    """What is there: in files, or in the cluster that may be had access to."""
    from auditor.model import Snapshot

    if not paths and access is None:
        return Snapshot(())
    cluster = access is not None
    return together(read_variants(paths, chosen.building, cluster=cluster, access=access))


def _of_state(findings: Iterable[Finding], terms: Admission) -> Found:
    """What becomes of each fault that is there, less where nobody is asked."""
    from auditor.webhook.decide import modes_of
    from auditor.webhook.registration import SYSTEM_NAMESPACES

    return modes_of((f for f in findings if f.ref.namespace not in SYSTEM_NAMESPACES), terms)


def _tell(state: Found, answers: Sequence[Answered], missing: Missing) -> None:
    from auditor.declared import Mode

    for mode, word in ((Mode.DENY, "denied"), (Mode.WARN, "warned of"), (Mode.AUDIT, "noted")):
        found = [finding for its, finding in state if its is mode]
        if found:
            say(f"Would be {word}, of what is there ({len(found)}):")
            for row in _rows(found):
                say(f"  {row}")
    if not state and not answers:
        what = "what could be seen" if missing.gaps else "it"
        say(f"Nothing of {what} would be denied, warned of or noted.")
    if answers:
        tell_reviews(answers)
    missing.say()


def _rows(found: Sequence[Finding]) -> Iterable[str]:
    """A line for each policy and namespace."""
    from auditor.webhook.decide import place

    def key(finding: Finding) -> tuple[str, str]:
        return place(finding.ref), finding.policy.id

    for (_, policy), group in groupby(sorted(found, key=key), key):
        names = list(dict.fromkeys(str(finding.ref) for finding in group))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        # No colon: a name after one, behind the word credential or token, reads as a secret.
        yield f"{policy} of {', '.join(names[:NAMED])}{more}"


def tell_reviews(answers: Sequence[Answered]) -> None:
    """What would be answered to recorded reviews, less those that pass in silence."""
    from auditor.webhook.rehearsal import line

    counts = {v: sum(a.verdict == v for a in answers) for v in ("deny", "warn", "audit", "fail")}
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    say(f"Of {len(answers)} recorded reviews: {told or 'all pass'}")
    for answer in answers:
        if answer.verdict != "pass":
            say(f"  {answer.verdict} {answer.what} ({answer.origin})")
            for text in [line(f) for _, f in answer.found] or [answer.why]:
                say(f"    {text}")


def _tell_json(state: Found, answers: Sequence[Answered], missing: Missing) -> None:
    import orjson

    document = {
        "schema": "auditor-webhook-preview/1",
        "state": [fate(mode, finding) for mode, finding in state],
        "reviews": [as_json(answer) for answer in answers],
        "gaps": [f"{gap.what}: {gap.why}" for gap in missing.gaps],
        "acknowledged": [f"{gap.what}: {gap.why}" for gap in missing.acknowledged],
    }
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def fate(mode: Mode, finding: Finding) -> Mapping[str, Any]:
    """What becomes of a finding."""
    from auditor.credentials import told

    ref = finding.ref
    named = {"apiVersion": ref.api_version, "kind": ref.kind, "name": ref.name}
    return {
        "mode": str(mode),
        "policy": finding.policy.id,
        "severity": str(finding.severity),
        "object": {**named, "namespace": ref.namespace},
        "message": told(finding.message),
    }


def as_json(answer: Answered) -> Mapping[str, Any]:
    """What would be answered to a review."""
    return {
        "origin": answer.origin,
        "request": answer.what,
        "verdict": answer.verdict,
        "findings": [fate(mode, finding) for mode, finding in answer.found],
        "why": answer.why,
    }
