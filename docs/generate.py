"""Writes the files that are made from others: policy pages, the command's help, the form of
the configuration, `reports/`.

``python docs/generate.py docs``     docs/policies/ and what else is made in docs/
``python docs/generate.py reports``  what the tool says about every cluster under fixtures/
``… --check``                        writes nothing, and fails where a file is not up to date
"""

from __future__ import annotations

import difflib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from auditor.cli.config import Config
from auditor.cli.main import VERBS, cli
from auditor.model import Policy
from auditor.policies.frameworks import catalogue
from auditor.policies.loader import load
from auditor.webhook.installation import NAME, reading_rules
from auditor.webhook.registration import Terms, mutating, registered

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "<!-- Made by `make docs`. Edit the policy or the command instead. -->\n\n"
WIDTH = 100
NEW_YEAR = "1767225600"
"""The first second of 2026: examples are of the same day whenever they are made."""
FORMATS = {"txt": "text", "json": "json", "sarif": "sarif"}


def main(arguments: list[str]) -> int:
    """Write or check; 1 where a file is not up to date."""
    check = "--check" in arguments
    words = [word for word in arguments if word != "--check"] or ["docs", "reports"]
    made: dict[Path, str] = {}
    for word in words:
        made |= MAKERS[word]()
    stale = [path for path, text in made.items() if _differs(path, text)]
    stale += [path for word in words for path in _left_over(word, made)]
    for path in stale:
        if check:
            _show(path, made.get(path, ""))
        elif path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        else:
            path.unlink()
        click.echo(f"{'not up to date' if check else 'wrote'}: {path.relative_to(ROOT)}")
    return 1 if check and stale else 0


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def _left_over(word: str, made: Mapping[Path, str]) -> Iterator[Path]:
    """Generated files whose source is gone."""
    folder = {"docs": ROOT / "docs" / "policies", "reports": ROOT / "reports"}[word]
    yield from (path for path in sorted(folder.rglob("*.*")) if path not in made)


def _show(path: Path, text: str) -> None:
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    for line in list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm=""))[:20]:
        click.echo(line)


def docs() -> dict[Path, str]:
    """The pages of all policies, their list, and the help of every verb."""
    policies, _ = load(ROOT / "policies")
    folder = ROOT / "docs" / "policies"
    pages = {folder / f"{policy.id}.md": _page(policy) for policy in policies}
    pages[folder / "README.md"] = _index(policies)
    pages[ROOT / "docs" / "command.md"] = GENERATED + "\n".join(_help())
    pages[ROOT / "docs" / "picture.svg"] = _picture()
    pages[ROOT / "docs" / "auditor.schema.json"] = _schema()
    return pages | _chart()


def _chart() -> dict[Path, str]:
    """What the chart of the webhook takes over from `auditor webhook install`."""
    service = f"auditor/{NAME}"
    validating, mutates = (
        registered(None, Terms(), service=service),
        mutating(None, service=service),
    )
    made = {
        "reading": reading_rules(),
        "validating": _webhooks(validating, "namespaceSelector", "failurePolicy", "timeoutSeconds"),
        "mutating": _webhooks(mutates, "namespaceSelector"),
    }
    folder = ROOT / "deploy" / "chart" / "files"
    head = "# Made by `make docs`, from what `auditor webhook install` prints.\n"
    return {
        folder / f"{name}.yaml": head + yaml.safe_dump(what, sort_keys=False)
        for name, what in made.items()
    }


def _webhooks(registration: Mapping[str, Any], *said: str) -> list[dict[str, Any]]:
    """Those of a registration, less what values of the chart say."""
    return [
        {key: value for key, value in each.items() if key not in said}
        for each in registration["webhooks"]
    ]


def _schema() -> str:
    """The form of `.auditor.yaml` for editors."""
    schema = Config.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": ".auditor.yaml"}
    return json.dumps({**schema, **head}, indent=2, sort_keys=True) + "\n"


PICTURED = ("audit", "fixtures/clusters/peapods", "--select", "network")
SVG = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, without fonts that a viewer would have to fetch."""


def _picture() -> str:
    """The terminal as a person sees it, for the README."""
    from rich.console import Console
    from rich.text import Text

    text = Text.from_ansi(f"$ auditor {' '.join(PICTURED)}\n{_said(*PICTURED, FORCE_COLOR='1')}")
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(text, soft_wrap=False)
    return console.export_svg(title="auditor", code_format=SVG, unique_id="auditor")


def _page(policy: Policy) -> str:
    known = catalogue()
    rows = [
        f"# {policy.title}\n",
        f"`{policy.id}` · severity {policy.severity} · profile {policy.profile}\n",
        policy.description + "\n",
        f"Judged on: {', '.join(policy.kinds)}.\n",
    ]
    if policy.parameters:
        rows.append("## Parameters\n")
        rows += [f"- `{p.name}`: {' '.join(p.description.split())}" for p in policy.parameters]
        rows.append("")
    if policy.controls:
        rows.append("## Controls\n")
        for control in policy.controls:
            framework, _, name = control.partition("/")
            rows.append(f"- {known[framework].title}: {name}, {known[framework].controls[name]}")
        rows.append("")
    if policy.equivalents:
        rows += ["## Known elsewhere as\n", ", ".join(f"`{e}`" for e in policy.equivalents) + "\n"]
    if policy.links:
        rows += ["## Read on\n", *(f"- <{link}>" for link in policy.links), ""]
    return GENERATED + "\n".join(rows)


def _index(policies: tuple[Policy, ...]) -> str:
    rows = ["# Policies\n", "| policy | severity | profile | what it finds |", "|---|---|---|---|"]
    rows += [
        f"| [{policy.id}]({policy.id}.md) | {policy.severity} | {policy.profile} | {policy.title} |"
        for policy in policies
    ]
    return GENERATED + "\n".join(rows) + "\n"


def _help() -> Iterator[str]:
    yield "# The command\n"
    top = click.Context(cli, info_name="auditor", max_content_width=100, terminal_width=100)
    yield from _one("auditor", cli)
    for verb in VERBS:
        command = cli.get_command(top, verb)
        assert command is not None
        yield from _one(f"auditor {verb}", command)
        if isinstance(command, click.Group):
            for name, below in sorted(command.commands.items()):
                yield from _one(f"auditor {verb} {name}", below)


def _one(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    text = command.get_help(context)
    yield f"## `{name}`\n\n```\n{text.strip()}\n```\n"


def reports() -> dict[Path, str]:
    """Each cluster of fixtures/ in each form, as the command prints it."""
    made = {}
    for cluster in sorted((ROOT / "fixtures" / "clusters").iterdir()):
        if cluster.is_dir():
            for ending, form in FORMATS.items():
                made[ROOT / "reports" / f"{cluster.name}.{ending}"] = _report(cluster, form)
    return made


def _report(cluster: Path, form: str) -> str:
    where = cluster.relative_to(ROOT).as_posix()
    return _said("audit", where, "--format", form, "--sarif-profile", "full", NO_COLOR="1")


def _said(*arguments: str, **environment: str) -> str:
    """What the command prints, run in the folder of the checkout."""
    plain = {"NO_COLOR", "FORCE_COLOR"}
    inherited = {key: value for key, value in os.environ.items() if key not in plain}
    done = subprocess.run(
        [Path(sys.executable).with_name("auditor"), *arguments],
        cwd=ROOT,
        env={**inherited, "COLUMNS": str(WIDTH), "SOURCE_DATE_EPOCH": NEW_YEAR, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout


MAKERS = {"docs": docs, "reports": reports}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
