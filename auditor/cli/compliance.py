"""`auditor compliance`: what the same audit is evidence of, control by control."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from auditor.cli.options import (
    Access,
    PolicyOptions,
    chart_values,
    choice_of_policies,
    cluster_access,
    cluster_reading,
    waivers_of_manifests,
)
from auditor.cli.outputs import Ordered, Outputs, deliver, output_options, warn
from auditor.cli.scope import ScopeOptions, choice_of_scope, chosen_for

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.frameworks.assessment import Terms
    from auditor.reporters.frameworks import Evidence
    from auditor.sources.building import Rendering

EPILOG = """\b
Exit codes: 0 no control failed; 1 one did; 2 usage or configuration; 3 nothing to audit;
4 none failed, and something that was to be audited could not be seen, or no control at all was
assessed; 70 a fault of ours. What neither manifests nor the API server show of a framework
(files of nodes, people) is told as not assessed or manual, and changes no exit code.
"""


@click.command(
    cls=Ordered,
    epilog=EPILOG,
    short_help="Say what is evidence toward which control of a framework.",
)
@click.argument("words", nargs=-1, metavar="[FRAMEWORK] PATH...")
@click.option("--cluster", is_flag=True, help="Audit the live cluster instead of files.")
@cluster_access
@cluster_reading
@waivers_of_manifests
@choice_of_policies
@chart_values
@choice_of_scope
@click.option(
    "--fail-on",
    type=click.Choice(["failed", "never"]),
    default="failed",
    show_default=True,
    help="Exit with 1 where a control has this status.",
)
@click.option("--strict", is_flag=True, help="Let gaps of severity 'unknown' count as well.")
@output_options
def compliance(
    words: tuple[str, ...],
    cluster: bool,
    kubeconfig: str | None,
    context: str | None,
    cached: bool,
    patience: float,
    fail_on: str,
    strict: bool,
    outputs: Outputs,
    policies: PolicyOptions,
    asked: Rendering,
    scope: ScopeOptions,
) -> int:
    """Audit the manifests under PATH (files, folders, '-' for standard input), a saved snapshot or
    a cluster, and say of each control of FRAMEWORK whether it is passed, failed, waived, left to a
    person, or not assessed, with the evidence. Without FRAMEWORK, of all frameworks; with nothing
    at all, list them. A path that is called as a framework is written with ./ before it.
    """
    from auditor.cli.progress import progress
    from auditor.frameworks.catalogue import framework

    names, paths = _told_apart(words, policies.framework)
    if not names and not paths and not cluster:
        _list(outputs)
        return 0
    frameworks = [framework(name) for name in names or _all_names()]
    wanted = replace(policies, framework=tuple(one.id for one in frameworks))
    chosen = chosen_for(paths, wanted, scope, asked)
    what = "reading the cluster" if cluster else "reading manifests"
    with progress(what, quiet=outputs.quiet) as now:
        from auditor.cli.judged import read_and_judged

        access = Access(kubeconfig, context, cached, patience, chosen.namespaces)
        # What no policy looks at is told as such of each control.
        chosen = replace(chosen, bench=replace(chosen.bench, gaps=()))
        done, _ = read_and_judged(paths, chosen, cluster=cluster, access=access, now=now)
        answer = done.answers.merged()
    from auditor.reporters.frameworks import evidence

    told = evidence(answer, frameworks, _terms(done.chosen, strict=strict))
    code = exit_code(told, fail_on, strict=strict)
    _write(told, outputs, paths, _ends(code))
    return code


def _terms(chosen: Chosen, *, strict: bool) -> Terms:
    from auditor.frameworks.assessment import Terms

    return Terms(chosen.bench.known, chosen.settings, strict)


def _told_apart(
    words: tuple[str, ...], named: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The frameworks and the paths: the first word is a framework where there is one of that name,
    or where it can be nothing else.

    Raises:
        UsageError: it is neither a framework nor anything that is there.
    """
    import difflib

    from auditor.errors import UsageError

    if not words or words[0] == "-":
        return named, words
    first, *rest = words
    known = _all_names()
    if first in known:
        return tuple(dict.fromkeys((first, *named))), tuple(rest)
    close = [n for n in known if first in n]
    close = close or difflib.get_close_matches(first.lower(), known, n=1, cutoff=0.75)
    is_word = not any(sign in first for sign in "/\\.") or (close and "/" not in first)
    if is_word and not Path(first).exists():
        hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(known)}"
        raise UsageError(f"no framework '{first}', and no such file; {hint}")
    return named, words


def _all_names() -> tuple[str, ...]:
    from auditor.frameworks.catalogue import names

    return names()


def exit_code(told: Evidence, fail_on: str, *, strict: bool) -> int:
    """0, 1 or 4, as the epilog of --help says."""
    from auditor.cli.audit import counting
    from auditor.cli.ends import ends_with
    from auditor.frameworks.assessment import ControlStatus

    statuses = {one.status for answer in told.answers for one in answer.controls}
    failing = ControlStatus.FAILED in statuses and fail_on == "failed"
    assessed = statuses - {ControlStatus.NOT_ASSESSED, ControlStatus.MANUAL}
    return ends_with(failing, not assessed or counting(told.audit, strict=strict))


def _ends(code: int) -> str:
    return "exit 4: not all that was to be audited could be seen" if code == 4 else ""


def _write(told: Evidence, outputs: Outputs, paths: tuple[str, ...], ends: str) -> None:
    """Write every report.

    Raises:
        WriteError: a file cannot be written.
    """
    from auditor.reporters.frameworks import pieces

    def rendered(form: str, terminal: TextIO | None) -> list[str]:
        return pieces(
            form,
            told,
            paths=paths,
            terminal=terminal,
            brief=outputs.quiet,
            sarif=outputs.sarif_profile,
            flags=outputs.flags,
            ends=ends,
            say=warn,
        )

    deliver(outputs, rendered)


def _list(outputs: Outputs) -> None:
    """Every framework, and how its controls are looked at."""
    from auditor.policies.loader import load
    from auditor.reporters.frameworks.listing import listing

    policies, _ = load()

    def rendered(form: str, terminal: TextIO | None) -> str:
        return listing(form, policies, terminal)

    deliver(outputs, rendered)
