"""The documents say what is so: pages are up to date, and what the README shows can be run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from auditor.cli.main import VERBS, cli
from auditor.facts.catalogue import FACTS

from .shown import blocks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted(
    file
    for file in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
)
PAGES = [file for file in DOCUMENTS if file.parent != ROOT]


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


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_a_heading_that_is_there(file: Path) -> None:
    """Where they name one."""
    for page, heading in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", file.read_text("utf-8")):
        target = file.parent / page if page else file
        if "://" not in page and target.suffix == ".md":
            assert heading in _headings(target), f"{file}: {page}#{heading}"


def _headings(file: Path) -> set[str]:
    """As GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_fact_is_described() -> None:
    """With what it says and not only its name, and for whom: whoever writes a policy reads this."""
    page = (ROOT / "docs" / "facts.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \| [^|]+ \|$", page, re.MULTILINE))
    assert rows.keys() == FACTS.keys()
    assert [name for name, said in rows.items() if len(said.split()) < 8] == []


def test_the_index_leads_to_every_page() -> None:
    """To those that people wrote; the generated ones have indexes of their own."""
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "howto").glob("*.md"))
    names = {str(page.relative_to(ROOT / "docs")) for page in pages} - {"README.md"}
    rows = dict(re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \| (\S.*) \|$", index, re.MULTILINE))
    assert names <= set(rows)


def _commands(page: str = README) -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [
        line.removeprefix("$ ").partition("#")[0].strip()
        for block in blocks
        for line in block.splitlines()
    ]
    return [line.partition("|")[0].strip() for line in lines if line.startswith("auditor ")]


def test_the_readme_shows_every_verb() -> None:
    """Whoever reads it knows all there is, apart from what is for contributors."""
    shown = {line.split()[1] for line in _commands()}
    assert shown == set(VERBS) - {"new"}


def _mentioned(page: str) -> list[str]:
    """Commands inside of a sentence or a table."""
    return [line.partition("…")[0] for line in re.findall(r"`(auditor [a-z][^`\n]*)`", page)]


SHOWN = dict.fromkeys(
    line
    for page in (file.read_text("utf-8") for file in DOCUMENTS)
    for line in (*_commands(page), *_mentioned(page))
)


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_that_is_shown_exists(line: str) -> None:
    """On any page, with every flag that is shown."""
    context: click.Context = click.Context(cli, info_name="auditor")
    command: click.Command = cli
    words = line.split()[1:]
    while isinstance(command, click.Group) and words:
        found = [command.get_command(context, name) for name in words.pop(0).split("|")]
        assert None not in found, line
        command = found[-1] or command
    known = {flag for parameter in command.params for flag in parameter.opts}
    flags = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    assert flags <= known | {"--help"}


def test_the_comparison_says_of_each_claim_how_it_is_known() -> None:
    """Measured, or read and where: of what others do better, and of every table of what we do."""
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    theirs, _, ours = page.partition("## Where this one is better")
    paragraphs = re.findall(r"^\*\*[A-Z].*?(?=\n\n\*\*|\Z)", theirs, re.MULTILINE | re.DOTALL)
    sections = ours.partition("## Together")[0].split("\n### ")[1:]
    assert (len(paragraphs), len(sections)) >= (8, 5)
    for claim in (*paragraphs, *sections):
        assert re.search(r"\(measured\)|\(read:\s+<https://|\(read;", claim), claim[:60]
    assert re.search(r"\b20\d\d-\d\d-\d\d\b", theirs)


def test_what_is_shown_for_ci_is_what_the_files_take() -> None:
    """Inputs of the action, variables of the job, names of the hooks."""
    page = (ROOT / "docs" / "howto" / "ci.md").read_text("utf-8")
    github, gitlab, commit = (
        yaml.safe_load(text) for language, _, text in blocks(page) if language == "yaml"
    )
    [step] = [each for each in github["jobs"]["audit"]["steps"] if "auditor@" in each["uses"]]
    assert set(step["with"]) <= set(_read("action.yml")["inputs"])
    assert github["permissions"]["security-events"] == "write"
    [included] = gitlab["include"]
    assert set(gitlab["variables"]) <= set(_read(included["file"])["variables"])
    hooks = {each["id"] for each in _read(".pre-commit-hooks.yaml")}
    assert {each["id"] for each in commit["repos"][0]["hooks"]} <= hooks


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


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
