"""What a run writes, and where: pairs of --format and --output, in the order they were given."""

from __future__ import annotations

import functools
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.model import Audit
    from auditor.reporters.view import State

FORMATS = (
    "text", "json", "sarif", "markdown", "github", "gitlab", "junit", "csv", "policyreport",
    "openreports", "prometheus", "html",
)  # fmt: skip
"""The keys of `auditor.reporters.REPORTERS`, without loading what they stand for."""
SARIF_PROFILES = ("full", "github", "gitlab", "azure")
"""Who reads it: the keys of `auditor.reporters.sarif_profiles.PROFILES`."""
_PIPELINES = {"GITHUB_ACTIONS": "github", "GITLAB_CI": "gitlab", "TF_BUILD": "azure"}
"""The variable that each pipeline sets to say that it is one."""
_ORDER = "auditor.cli.outputs"
_GIVEN = "auditor.cli.outputs.given"
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Report:
    """One form of the answer, and the file for it; None for standard output."""

    form: str
    file: Path | None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is to be written."""

    reports: tuple[Report, ...]
    sarif_profile: str
    quiet: bool
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """See `auditor.reporters.view.View`."""


class Ordered(click.Command):
    """A command that knows in which order --format and --output were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; it forgets the order, so that it is asked for beforehand."""
        if not ctx.resilient_parsing:
            given, _, order = self.make_parser(ctx).parse_args(list(args))
            ctx.meta[_ORDER] = [param.name for param in order]
            ctx.meta[_GIVEN] = given
        return super().parse_args(ctx, args)


def output_options(command: Callable[..., int]) -> Callable[..., int]:
    """--format, --output, --sarif-profile and --quiet, given to the command as one argument
    `outputs`. The command has to be `Ordered`.
    """

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        formats, files = given.pop("formats"), given.pop("output_files")
        context = click.get_current_context()
        reports = tuple(paired(formats, files, context.meta.get(_ORDER, ())))
        if not formats:
            for report in reports:
                _doubt(report)
        profile = given.pop("sarif_profile") or _of_pipeline()
        outputs = Outputs(reports, profile, given.pop("quiet"), _repeated(context))
        return command(**given, outputs=outputs)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


_OPTIONS = (
    click.option(
        "--format",
        "formats",
        type=click.Choice(FORMATS),
        multiple=True,
        help="Repeatable, each with an --output; one may go to standard output. [default: text]",
    ),
    click.option(
        "-o",
        "--output",
        "output_files",
        type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
        multiple=True,
        help="The file for the --format before it; '-' for standard output.",
    ),
    click.option(
        "--sarif-profile",
        type=click.Choice(SARIF_PROFILES),
        help="Who reads SARIF. [default: the pipeline that this runs in, else full]",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress; in text, one line per finding."),
)


def _repeated(context: click.Context) -> dict[str, tuple[str, ...]]:
    """The flags as they were typed that `fix` and `explain` have too: a command that is proposed
    speaks of what this one was asked about.
    """
    from auditor.cli.explain import explain
    from auditor.cli.fix import fix

    typed: dict[str, Any] = context.meta.get(_GIVEN, {})
    words = {
        option.opts[-1]: tuple(_words(option, typed[option.name]))
        for option in context.command.params
        if isinstance(option, click.Option) and option.name in typed
    }
    return {
        str(verb.name): tuple(
            word
            for option in verb.params
            if option.name != "cluster"
            for word in words.get(option.opts[-1], ())
        )
        for verb in (fix, explain)
    }


def _words(option: click.Option, typed: Any) -> Iterator[str]:
    """What was typed of one option."""
    if option.is_flag:
        yield option.opts[0]
        return
    for value in map(str, typed if option.multiple else [typed]):
        yield from (
            [f"{option.opts[-1]}={value}"] if value.startswith("-") else [option.opts[0], value]
        )


def _doubt(report: Report) -> None:
    """Say so where text, which nobody asked for, goes to a file whose ending promises another
    form.
    """
    form = _ENDINGS.get(report.file.suffix.lower()) if report.file else None
    if form:
        warn(f"{report.file} gets the text report: say --format {form} before --output for {form}")


_ENDINGS = {
    ".json": "json", ".sarif": "sarif", ".html": "html", ".csv": "csv", ".md": "markdown",
    ".xml": "junit",
}  # fmt: skip


def _of_pipeline() -> str:
    return next((p for name, p in _PIPELINES.items() if os.environ.get(name)), "full")


def paired(
    formats: Sequence[str], files: Sequence[Path], order: Sequence[str | None]
) -> Iterator[Report]:
    """Each format with its file. As many files as formats go together in their order; where there
    are fewer files, each belongs to the format right before it.

    Raises:
        UsageError: it cannot be told which goes where, or two would go to one place.
    """
    from auditor.errors import UsageError

    if not formats:
        formats, order = ("text",), ("formats",)
    targets: list[Path | None] = list(files)
    if len(files) > len(formats):
        raise UsageError(
            f"{len(files)} times --output, but {len(formats)} times --format: "
            "each --output needs a --format of its own"
        )
    if len(files) < len(formats):
        targets = list(_by_order(files, [name for name in order if name in _NAMES]))
    found = [Report(form, _file(file)) for form, file in zip(formats, targets, strict=True)]
    for number, report in enumerate(found):
        if report.file in [other.file for other in found[:number]]:
            raise UsageError(f"two formats go to {report.file or 'standard output'}: {_HOW}")
    yield from found


_NAMES = ("formats", "output_files")
_HOW = "say --format FORM --output FILE for each; one may be without --output"


def _by_order(files: Sequence[Path], order: Sequence[str | None]) -> Iterator[Path | None]:
    from auditor.errors import UsageError

    left = iter(files)
    if order[:1] == ["output_files"] or ("output_files", "output_files") in _neighbours(order):
        raise UsageError(f"it cannot be told which --format an --output belongs to: {_HOW}")
    for here, after in _neighbours([*order, None]):
        if here == "formats":
            yield next(left) if after == "output_files" else None


def _neighbours(order: Sequence[str | None]) -> list[tuple[str | None, str | None]]:
    return list(itertools.pairwise(order))


def _file(given: Path | None) -> Path | None:
    return None if given is None or str(given) == STDOUT else given


Rendered = Callable[[str, TextIO | None], str | Iterable[str]]
"""A form and the stream that it goes to (None for a file) → the report, or the pieces of it."""


def write(
    answer: Audit,
    outputs: Outputs,
    paths: tuple[str, ...],
    ends: str = "",
    states: tuple[State, ...] = (),
) -> None:
    """Write every report about `answer`; `ends` says why the run ends as it does, `states` are what
    it was merged of.

    Raises:
        WriteError: a file cannot be written.
    """
    from auditor.reporters import pieces

    def rendered(form: str, terminal: TextIO | None) -> list[str]:
        brief, profile = outputs.quiet, outputs.sarif_profile
        return pieces(
            form,
            answer,
            paths=paths,
            terminal=terminal,
            brief=brief,
            sarif=profile,
            flags=outputs.flags,
            ends=ends,
            states=states,
            say=warn,
        )

    deliver(outputs, rendered)


def warn(text: str) -> None:
    """Say on standard error what a report leaves out."""
    from auditor.cli.screen import say

    say(f"warning: {text}", err=True)


def deliver(outputs: Outputs, rendered: Rendered) -> None:
    """Write every report: that on standard output first, so that no file can keep it back.

    Raises:
        WriteError: a file cannot be written.
    """
    for report in sorted(outputs.reports, key=lambda report: report.file is not None):
        text = rendered(report.form, None if report.file else sys.stdout)
        _write([text] if isinstance(text, str) else text, report)


def _write(pieces: Iterable[str], report: Report) -> None:
    from auditor.cli.whole import write_whole
    from auditor.errors import WriteError

    if report.file is None:
        for piece in pieces:
            show(piece, binary=report.form != "text")
        return
    try:
        write_whole(report.file, (piece.encode() for piece in pieces))
    except OSError as error:
        raise WriteError(f"{report.file}: {error.strerror or error}") from error


def show(text: str, *, binary: bool) -> None:
    """Write the report and nothing else: as UTF-8 for programs; for people, as their terminal can
    show it. `click.echo` would take the colours away that FORCE_COLOR asks for.
    """
    if binary:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(text)
