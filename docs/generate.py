"""Writes the files that are made from others: policy pages, the command's help, the form of
the configuration, `reports/`.

``python docs/generate.py docs``     docs/policies/ and what else is made in docs/
``python docs/generate.py reports``  what the tool says about every cluster under fixtures/
``… --check``                        writes nothing, and fails where a file is not up to date
"""

from __future__ import annotations

import difflib
import inspect
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from auditor.cli.config import Config
from auditor.cli.main import VERBS, cli
from auditor.facts.catalogue import FACTS, Fact, teller
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.frameworks.catalogue import (
    NODE,
    Control,
    Framework,
    catalogue,
    linked,
    looking_at,
)
from auditor.model import Policy
from auditor.policies.loader import load
from auditor.webhook.installation import NAME, reading_rules
from auditor.webhook.registration import Terms, mutating, registered

ROOT = Path(__file__).resolve().parents[1]
GENERATED = "<!-- Made by `make docs`. Edit the policy or the command instead. -->\n\n"
WIDTH = 100
NEW_YEAR = "1767225600"
"""The first second of 2026: examples are of the same day whenever they are made."""
FACTS_HEAD = """\
<!-- Made by `make docs`. Edit auditor/facts/catalogue.py, or who tells the fact, instead. -->

# Facts

What a policy may read of the rest of the cluster as `input.facts.NAME`, once its METADATA names it
in `facts`. Of an object that a fact has nothing to say of, the field is not there.

| fact | told of | what it says | read by |
|---|---|---|---|
"""
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
    pages = [ROOT / "docs" / name for name in ("policies", "frameworks")]
    for folder in {"docs": pages, "reports": [ROOT / "reports"]}[word]:
        yield from (path for path in sorted(folder.rglob("*.*")) if path not in made)


def _show(path: Path, text: str) -> None:
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    for line in list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm=""))[:20]:
        click.echo(line)


def docs() -> dict[Path, str]:
    """The pages of all policies, their list, and the help of every verb."""
    policies, _ = load(ROOT / "policies")
    policies = linked(policies, catalogue())
    folder = ROOT / "docs" / "policies"
    pages = _framework_pages(policies)
    pages |= {folder / f"{policy.id}.md": _page(policy) for policy in policies}
    pages[folder / "README.md"] = _index(policies)
    pages[folder / "equivalents.md"] = _equivalents(policies)
    pages[ROOT / "docs" / "facts.md"] = _facts(policies)
    pages[ROOT / "docs" / "command.md"] = GENERATED + "\n".join(_help())
    pages[ROOT / "docs" / "picture.svg"] = _picture()
    pages[ROOT / "docs" / "auditor.schema.json"] = _schema()
    return pages | _chart()


FIXES = {"deterministic": "a patch", "generated": "objects", "manual": "by hand", "none": "none"}


def _facts(policies: Iterable[Policy]) -> str:
    """Fact by fact: of which kinds it is told, what it says, and which policies read it."""
    readers: dict[str, list[str]] = {name: [] for name in FACTS}
    for policy in policies:
        for name in policy.facts:
            readers[name].append(policy.id)
    rows = [_fact(name, fact, readers[name]) for name, fact in sorted(FACTS.items())]
    return FACTS_HEAD + "".join(rows)


def _fact(name: str, fact: Fact, readers: Iterable[str]) -> str:
    told_of = "workloads" if fact.kinds == WORKLOAD_KINDS else ", ".join(fact.kinds)
    paragraphs = (inspect.getdoc(teller(fact.told_by)) or "").split("\n\n")
    told = " ".join(" ".join(p.split()) for p in paragraphs if not p.startswith("Costs "))
    said = told.removeprefix(f"The fact `{name}`").lstrip(",: ").replace("|", "\\|")
    read_by = ", ".join(f"[{each}](policies/{each}.md)" for each in readers) or "none of ours"
    return f"| `{name}` | {told_of} | {said} | {read_by} |\n"


def _equivalents(policies: Iterable[Policy]) -> str:
    """Policy by policy: what other tools call it, when it is asked, and its fix."""
    columns = "| policy | asked at | fix | checks of others |\n|---|---|---|---|\n"
    return GENERATED + "# What other tools call it\n\n" + columns + "".join(map(_row, policies))


def _row(policy: Policy) -> str:
    theirs = ", ".join(f"`{each}`" for each in policy.equivalents) or "no tool that we know asks it"
    near = ", ".join(f"`{each}`" for each in policy.near)
    asked = f"| [{policy.id}]({policy.id}.md) | {policy.profile} | {FIXES[policy.fix]}"
    return f"{asked} | {theirs}{f'; near: {near}' if near else ''} |\n"


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


PICTURED = ("audit", "fixtures/clusters/peapods", "--select", "network/monitor_beyond_health")
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
            title = known[framework].controls[name].title
            rows.append(f"- {known[framework].title}: {name}, {title}")
        rows.append("")
    if policy.equivalents:
        rows += ["## Known elsewhere as\n", ", ".join(f"`{e}`" for e in policy.equivalents) + "\n"]
    if policy.near:
        rows += ["## Near, and not the same\n", ", ".join(f"`{e}`" for e in policy.near) + "\n"]
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


def _framework_pages(policies: tuple[Policy, ...]) -> dict[Path, str]:
    """A page for each framework, and their list."""
    folder = ROOT / "docs" / "frameworks"
    known = catalogue().values()
    rows = [
        "# Frameworks\n",
        "What `auditor compliance` knows of each, control by control; how to use it is in",
        "[compliance.md](../compliance.md).\n",
        "| framework | | controls | of them, policies look at |",
        "|---|---|---|---|",
    ]
    for one in known:
        looked = sum(bool(looking_at(one, name, policies)) for name in one.controls)
        total = len(one.controls)
        rows.append(f"| [{one.id}]({one.id}.md) | {one.title} | {total} | {looked} |")
    pages = {folder / f"{one.id}.md": _framework_page(one, policies) for one in known}
    return pages | {folder / "README.md": GENERATED + "\n".join(rows) + "\n"}


def _framework_page(framework: Framework, policies: tuple[Policy, ...]) -> str:
    rows = [f"# {framework.title}\n", f"`{framework.id}` · <{framework.source}>\n"]
    rows += [framework.about.strip() + "\n"] if framework.about else []
    for section in ("", *framework.sections):
        names = [name for name in framework.controls if framework.section_of(name) == section]
        if names:
            title = f"## {section} {framework.sections[section]}\n" if section else ""
            head = [title] if title else []
            rows += [*head, "| control | what it asks | how it is looked at |", "|---|---|---|"]
            rows += [_control_row(framework, name, policies) for name in names]
            rows.append("")
    return GENERATED + "\n".join(rows)


def _control_row(framework: Framework, name: str, policies: tuple[Policy, ...]) -> str:
    control = framework.controls[name]
    found = looking_at(framework, name, policies)
    said = [control.title, *_particulars(framework, control)]
    return f"| {name} | {'; '.join(said)} | {_how(control, found)} |"


def _particulars(framework: Framework, control: Control) -> Iterator[str]:
    if control.level:
        yield f"level {control.level}{'' if control.automated else ', for a person to assess'}"
    if control.since:
        yield f"since Kubernetes 1.{control.since - 100}"
    if control.also:
        yield f"also {', '.join(framework.sections[each] for each in control.also)}"
    if control.note:
        yield control.note


def _how(control: Control, found: tuple[Policy, ...]) -> str:
    """The policies, what is left to a person, or why nothing is seen."""
    if found:
        links = [f"[{policy.id}](../policies/{policy.id}.md)" for policy in found]
        data = " (where data is declared to be personal)" if control.personal_data else ""
        seen = f" (where `{control.flags_of}` is seen)" if control.flags_of else ""
        partly = f"; partly: {control.partly}" if control.partly else ""
        return f"{', '.join(links)}{data}{seen}{partly}"
    if control.flags_of and not (control.manual or control.unseen):
        return f"not assessed: {NODE}; where `{control.flags_of}` is seen, manual"
    return f"manual: {control.manual}" if control.manual else f"not assessed: {control.unseen}"


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
        [sys.executable, "-m", "auditor", *arguments],
        cwd=ROOT,
        env={**inherited, "COLUMNS": str(WIDTH), "SOURCE_DATE_EPOCH": NEW_YEAR, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in ANSWERS:
        sys.exit(f"auditor {' '.join(arguments)} broke off with {done.returncode}")
    return done.stdout


ANSWERS = (0, 1, 4)
"""The exit codes of an audit that was performed."""
MAKERS = {"docs": docs, "reports": reports}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
