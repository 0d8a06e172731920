"""--format and --output of the verbs of `auditor network`: one form, and the file for it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.gathered import answer_form
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.network.reading import Reading

Rendered = Callable[[str], str | Iterable[str]]
"""A form → the report, or the pieces of it."""


@dataclass(frozen=True, slots=True)
class Forms:
    """What is to be written."""

    form: str
    file: Path | None
    """None for standard output."""
    quiet: bool

    def write(self, rendered: Rendered) -> None:
        """Write it.

        Raises:
            WriteError: the file cannot be written.
        """
        from auditor.cli.outputs import Outputs, Report, deliver

        outputs = Outputs((Report(self.form, self.file),), "full", self.quiet)
        deliver(outputs, lambda form, _terminal: rendered(form))

    @property
    def terminal(self) -> Any:
        """What the report is shown on."""
        from auditor.reporters.terminal import terminal_of

        return terminal_of(None if self.file else sys.stdout)


def network_outputs(
    *forms: str,
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """--format with these forms, the first by default, --output and --quiet, given to the command
    as one argument `outputs`.
    """

    def given_to(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def gathered(**given: Any) -> int:
            file = given.pop("output_file")
            target = None if file is None or str(file) == "-" else file
            form, ending = given.pop("form"), _promised(target)
            told = _ENDINGS.get(ending, ending)
            if told in forms:
                form = told
            elif ending in _FORMS_OF_FILES:
                _say_other(target, form, ending, forms)
            outputs = Forms(form, target, given.pop("quiet"))
            return command(**given, outputs=outputs)

        for option in (
            click.option("-q", "--quiet", is_flag=True, help="Nothing but what is wrong."),
            click.option(
                "-o",
                "--output",
                "output_file",
                type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
                help="The file to write; '-' for standard output. Its ending tells the form where"
                " --format does not.",
            ),
            answer_form(*forms, told="The form of the answer."),
        ):
            gathered = option(gathered)
        return gathered

    return given_to


_FORMS_OF_FILES = frozenset((
    "csv", "dot", "gif", "gv", "htm", "html", "jpeg", "jpg", "json", "jsonl", "md", "mmd", "pdf",
    "png", "sarif", "svg", "xml", "yaml", "yml",
))  # fmt: skip
_ENDINGS = {"htm": "html", "gv": "dot", "mmd": "mermaid", "txt": "text"}


def _promised(file: Path | None) -> str:
    """The ending of the file, where nobody named a form; empty where somebody did."""
    given = click.get_current_context().get_parameter_source("form")
    if file is None or given is not click.core.ParameterSource.DEFAULT:
        return ""
    return file.suffix.lower().removeprefix(".")


def _say_other(file: Path | None, form: str, ending: str, forms: tuple[str, ...]) -> None:
    from auditor.cli.outputs import warn

    warn(f"{file} gets the {form} form: there is no {ending}, but {', '.join(forms)}")


def rejection_documents(reading: Reading) -> list[dict[str, Any]]:
    """The policies that are refused, for programs."""
    from auditor.reporters.network.told import rejection

    return [rejection(one.state.snapshot, one.policy, one.by) for one in reading.rejected]
