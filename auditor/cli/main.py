"""The command `auditor`. Imports nothing heavy: each verb's module is loaded when it is called."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from auditor import __version__
from auditor.cli.lazy import Lazy
from auditor.cli.screen import say
from auditor.errors import AuditorError

VERBS: Mapping[str, tuple[str, str]] = {
    "audit": ("auditor.cli.audit:audit", "Find what is wrong in manifests or a cluster."),
    "compliance": (
        "auditor.cli.compliance:compliance",
        "Say what is evidence toward which control of a framework.",
    ),
    "fix": ("auditor.cli.fix:fix", "Show proven fixes as a diff, or write them."),
    "diff": ("auditor.cli.diff:diff", "Say which findings are new between two states."),
    "explain": ("auditor.cli.explain:explain", "Say what a policy looks for, by any of its names."),
    "network": ("auditor.cli.network:network", "Say who can reach whom, and why."),
    "access": (
        "auditor.cli.access:access",
        "Say who may do what through the API server.",
    ),
    "paths": ("auditor.cli.paths:paths", "Say who can get at personal data, and what closes it."),
    "placement": (
        "auditor.cli.placement:placement",
        "Say where pods run, and what they survive.",
    ),
    "classify": (
        "auditor.cli.classify:classify",
        "Write a declaration of personal data to review.",
    ),
    "snapshot": ("auditor.cli.snapshot:snapshot", "Save what an audit of a cluster needs."),
    "webhook": ("auditor.cli.webhook:webhook", "Answer admission reviews with the same audit."),
    "watch": ("auditor.cli.watch:watch", "Audit a cluster again whenever it changes."),
    "policies": ("auditor.cli.policies:policies", "List the policies."),
    "init": ("auditor.cli.init:init", "Write the first configuration of a repository."),
    "completion": ("auditor.cli.completion:completion", "Print the completion for a shell."),
    "new": ("auditor.cli.new:new", "Write the first lines of a new policy and its fixtures."),
}
"""Verb → where its command is, and its line in --help."""


AUDITS = frozenset(("audit", "compliance", "fix", "diff", "watch"))
"""The verbs after which a person expects an audit."""


class _ReaderGoneError(Exception):
    """Whoever reads what is written has seen enough: `| head`."""


@contextlib.contextmanager
def _while_read() -> Iterator[None]:
    """Tells of a reader that has gone before click or rich ends the process: both do with exit code
    1, which is a finding.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGoneError from error
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise _ReaderGoneError from ended
        raise


class Verbs(Lazy):
    """The verbs, each loaded when it is needed and listed without loading any."""

    verbs = VERBS

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _while_read():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _while_read():
            return super().invoke(ctx)


EPILOG = """\b
Exit codes: 0 nothing at or above --fail-on; 1 findings that are; 2 usage or configuration;
3 nothing to audit; 4 something that was to be audited could not be seen (with --strict also gaps
of severity unknown); 70 a fault of ours; 130 interrupted; 141 nobody reads the output any more.
"""


@click.command(
    cls=Verbs,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="auditor %(version)s")
def cli() -> None:
    """Audit Kubernetes manifests and clusters, and prove every fix before offering it."""


YOUNG = 100_000
"""So many new values are there before Python looks for cycles among them, instead of 700: what is
imported and read stays, and looking at it again and again finds nothing.
"""


def main() -> None:
    """Run the command. Every error of ours is told in a sentence, without a traceback."""
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    try:
        code = cli.main(prog_name="auditor", standalone_mode=False)
    except AuditorError as error:
        say(f"{_headline(error)}: {error}", err=True)
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        code = 130
    except _ReaderGoneError:
        _close_output()
        code = 141
    except OSError as error:
        say(f"error: {error.filename or 'standard output'}: {error.strerror or error}", err=True)
        _close_output()
        code = 2
    except Exception as error:  # noqa: BLE001 - the last resort: a fault of ours, told as one
        say(_ours(error), err=True)
        code = 70
    sys.exit(code)


def _headline(error: AuditorError) -> str:
    """What the error means for who gave the command; to most verbs no audit was asked for."""
    audits = not sys.argv[1:2] or sys.argv[1] in AUDITS
    return error.headline if audits or error.headline != AuditorError.headline else "error"


def _close_output() -> None:
    """Let the flush at exit go nowhere: a second error would help nobody."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ours(error: Exception) -> str:
    """A fault of ours in a sentence: where it happened, and never a value, which may be secret.
    AUDITOR_TRACEBACK=1 shows the whole of it.
    """
    import traceback

    if os.environ.get("AUDITOR_TRACEBACK"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {place.name} ({Path(place.filename).name}:{place.lineno})"
    return f"fatal: this is a fault of auditor's: {what}; please report it (AUDITOR_TRACEBACK=1)"
