"""`auditor placement what-if`: one action, and what the controllers of Kubernetes make of it.

The form of its JSON is fixed: recorded answers of real controllers are compared with it.
"""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.gathered import answer_form
from auditor.cli.placement.state import case_file, read_case


@click.command(short_help="Say what the controllers make of one action.")
@click.option(
    "--case",
    "file",
    type=case_file,
    required=True,
    help='What there is and what is done: {"objects", "action"}; - for standard input.',
)
@answer_form("json")
def what_if(file: Path, form: str) -> int:  # noqa: ARG001 - the only one that there is
    """Say what becomes of an update, a scale-down, an eviction, a drain or the loss of a node.

    The case is one JSON object: "objects" are what is there, "action" is what is done ("steps" for
    several, one after the other). The models are those of the controllers of Kubernetes 1.36; where
    their order is random, all of it is explored, or the answer says that it is undetermined.
    """
    from auditor.errors import UsageError
    from auditor.facts import controllers
    from auditor.reporters.encoded import encoded

    case = read_case(file)
    try:
        answer = controllers.what_if(controllers.course_of(case.fields))
    except (controllers.CaseError, controllers.UnmodelledError) as error:
        raise UsageError(f"{case.name}: {error}") from error
    click.echo(encoded(answer), nl=False)
    return 0
