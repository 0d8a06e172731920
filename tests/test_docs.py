"""The documents say what is so: pages are up to date, and what the README shows can be run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from auditor.cli.main import VERBS, cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
WEBHOOK = (ROOT / "docs" / "webhook.md").read_text("utf-8")
DOCUMENTS = sorted(
    file
    for file in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("word", ["docs", "reports"])
def test_generated_files_are_up_to_date(word: str) -> None:
    """`make docs reports` changes nothing."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", word, "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    """Every relative link of a page, and every picture, is there."""
    for link in re.findall(r"\]\(([^)#\s]+)", file.read_text("utf-8")):
        if "://" not in link:
            assert (file.parent / link).exists(), f"{file}: {link}"


def _commands(page: str = README) -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line.partition("|")[0].strip() for line in lines if line.startswith("auditor ")]


def test_the_readme_shows_every_verb() -> None:
    """Whoever reads it knows all there is, apart from what is for contributors."""
    shown = {line.split()[1] for line in _commands()}
    assert shown == set(VERBS) - {"new"}


@pytest.mark.parametrize("line", dict.fromkeys((*_commands(), *_commands(WEBHOOK))))
def test_every_command_that_is_shown_exists(line: str) -> None:
    """With every flag that is shown."""
    context: click.Context = click.Context(cli, info_name="auditor")
    command: click.Command = cli
    words = line.split()[1:]
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    known = {flag for parameter in command.params for flag in parameter.opts}
    assert {word for word in words if word.startswith("-") and word != "-"} <= known


def test_the_two_words_of_the_readme_are_in_the_makefile() -> None:
    """And they need nothing else before them."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for word in ("demo", "test"):
        assert re.search(rf"^make {word}\b", README, re.MULTILINE)
        assert re.search(rf"^{word}: setup\b", makefile, re.MULTILINE)


def test_the_policy_that_the_documents_show_works(tmp_path: Path) -> None:
    """Copied as it stands, it finds what it says."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    [rego] = re.findall(r"^```rego\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "rules" / "images" / "own_registry.rego"
    file.parent.mkdir(parents=True)
    file.write_text(rego, "utf-8")
    (tmp_path / "pod.yaml").write_text(POD_FROM_ELSEWHERE, "utf-8")
    words = ["audit", "pod.yaml", "--policies", "rules", "--select", "images", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *words, "--engine", "both", "--no-cache"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    [line] = [line for line in done.stdout.splitlines() if "images/own_registry" in line][:1]
    assert "container 'b' runs docker.io/library/nginx:1.27" in line
    assert "container 'a'" not in done.stdout


POD_FROM_ELSEWHERE = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: a, image: registry.example/web:1.0.0}
    - {name: b, image: docker.io/library/nginx:1.27}
"""
