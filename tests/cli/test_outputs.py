"""Several reports of one run, and what a report never says."""

from __future__ import annotations

import json
import re
import resource
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from auditor.cli.main import VERBS, cli
from auditor.reporters import REPORTERS

from .command import PEAPODS, PRIVILEGED, ROOT, Command, Said

PIPELINES = ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")


@pytest.fixture
def pod(folder: Path) -> Path:
    """A pod with a fault."""
    file = folder / "pod.yaml"
    file.write_text(PRIVILEGED, encoding="utf-8")
    return file


def test_each_format_goes_where_it_was_told(auditor: Command, pod: Path, folder: Path) -> None:
    """One run, three reports: text on the screen, the others in their files."""
    as_json, as_sarif = folder / "a.json", folder / "a.sarif"
    said = auditor("audit", pod, "--format", "text", "--format", "json", "-o", as_json,
                   "--format", "sarif", "--output", as_sarif)  # fmt: skip
    assert said.code == 1
    assert said.out.startswith("shop/web[Pod]")
    assert json.loads(as_json.read_text("utf-8"))["format"] == "auditor/1"
    assert json.loads(as_sarif.read_text("utf-8"))["version"] == "2.1.0"


@pytest.mark.parametrize(
    "order", [("F1", "O1", "F2", "O2"), ("F1", "F2", "O1", "O2"), ("O1", "O2", "F1", "F2")]
)
def test_as_many_files_as_formats_are_paired_in_order(
    auditor: Command, pod: Path, folder: Path, order: tuple[str, ...]
) -> None:
    """As kube-linter does it."""
    words = {
        "F1": ("--format", "json"), "O1": ("-o", str(folder / "one")),
        "F2": ("--format", "sarif"), "O2": ("-o", str(folder / "two")),
    }  # fmt: skip
    said = auditor("audit", pod, *(word for name in order for word in words[name]))
    assert (said.code, said.out) == (1, "")
    assert "findings" in json.loads((folder / "one").read_text("utf-8"))
    assert "runs" in json.loads((folder / "two").read_text("utf-8"))


def test_a_dash_is_standard_output(auditor: Command, pod: Path, folder: Path) -> None:
    """For whoever likes to say it."""
    said = auditor("audit", pod, "--format", "json", "-o", "-", "--format", "text",
                   "-o", folder / "a.txt")  # fmt: skip
    assert said.report["format"] == "auditor/1"


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--format", "json", "--format", "sarif"), "two formats go to standard output"),
        (("-o", "a", "--format", "json", "--format", "text"), "cannot be told which"),
        (("--format", "json", "-o", "a", "-o", "b", "--format", "text", "--format", "sarif"),
         "cannot be told which"),
        (("-o", "a", "-o", "b", "--format", "json"), "2 times --output, but 1 times --format"),
        (("--format", "json", "-o", "a", "--format", "text", "-o", "a"), "two formats go to a"),
    ],
)  # fmt: skip
def test_what_goes_where_is_never_guessed(
    auditor: Command, pod: Path, flags: tuple[str, ...], why: str
) -> None:
    """Before anything is audited or written."""
    said = auditor("audit", pod, *flags)
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert not Path("a").exists()


def test_text_in_a_file_that_promises_another_form_is_told(
    auditor: Command, pod: Path, folder: Path
) -> None:
    """It is written as it was asked for."""
    said = auditor("audit", pod, "-o", folder / "report.json")
    assert "report.json gets the text report: say --format json" in said.err
    assert "shop/web[Pod]" in (folder / "report.json").read_text()
    assert "gets the text report" not in auditor("audit", pod, "-o", folder / "report.txt").err
    given = auditor("audit", pod, "--format", "json", "-o", folder / "report.json")
    assert "gets the text report" not in given.err
    given = auditor("audit", pod, "--format", "text", "-o", folder / "notes.md")
    assert "gets the text report" not in given.err


def test_quiet_is_a_line_for_each_finding(auditor: Command, pod: Path) -> None:
    """And what counts them."""
    said = auditor("audit", pod, "-q", "--select", "workload/privileged_container")
    first, count, *_ = said.out.splitlines()
    assert first.endswith("container 'app' runs privileged (shop/web[Pod])")
    assert f"{pod}:11:" in first
    assert count.startswith("1 finding: 1 high")


def _sarif(said: Said) -> dict[str, object]:
    log = json.loads(said.out)
    run = log["runs"][0]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize(
    ("variable", "has"),
    [
        ("", (True, False)), ("GITHUB_ACTIONS", (False, False)), ("GITLAB_CI", (False, True)),
        ("TF_BUILD", (True, False)),
    ],
)  # fmt: skip
def test_the_pipeline_says_who_reads_sarif(
    auditor: Command, pod: Path, monkeypatch: pytest.MonkeyPatch,
    variable: str, has: tuple[bool, bool],
) -> None:  # fmt: skip
    """So that nobody has to look up what GitHub, GitLab or Azure DevOps can take."""
    for name in PIPELINES:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "true")
    run = _sarif(auditor("audit", pod, "--format", "sarif"))
    text = json.dumps(run["results"])
    assert ('"fixes"' in text, '"rank"' in text) == has
    full = auditor("audit", pod, "--format", "sarif", "--sarif-profile", "full")
    assert '"fixes"' in full.out


def test_a_wrong_date_is_a_wrong_configuration(auditor: Command, pod: Path) -> None:
    """A report that is to be the same again must not quietly be of today."""
    said = auditor("audit", pod, env={"SOURCE_DATE_EPOCH": "yesterday"})
    assert said.code == 2
    assert "SOURCE_DATE_EPOCH" in said.err


FORBIDDEN = ("complian", "certif")
VERB = "auditor compliance"
"""What people know it by: the one use that is allowed, in what names the command."""


def _help() -> str:
    top = click.Context(cli, info_name="auditor")
    texts = [cli.get_help(top)]
    for verb in VERBS:
        command = cli.get_command(top, verb)
        assert command
        texts.append(command.get_help(click.Context(command, parent=top, info_name=verb)))
    return "\n".join(texts)


def _in_forms(auditor: Command, folder: Path, *words: str | Path) -> Iterator[Said]:
    """What a command says in every form, of one run."""
    files = {form: folder / f"said.{form}" for form in REPORTERS}
    forms = [word for form, file in files.items() for word in ("--format", form, "-o", file)]
    said = auditor(*words, *forms)
    yield from (Said(said.code, file.read_text("utf-8"), said.err) for file in files.values())


def test_no_output_gives_a_verdict_on_the_whole(auditor: Command, folder: Path) -> None:
    """Nothing is called compliant or certified, in any form: there is evidence, and how far it
    goes. (A certificate, which a webhook or an API server needs, is another thing.)
    """
    empty = folder / "ns.yaml"
    empty.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", "utf-8")
    said = [auditor("policies", "list"), auditor("policies", "list", "--format", "json")]
    said.append(auditor("explain", "workload/privileged_container"))
    for path in (PEAPODS, f"{PEAPODS}-fixed", empty):
        said += _in_forms(auditor, folder, "audit", path, "--profile", "strict")
    said += _in_forms(auditor, folder, "audit", PEAPODS, "--framework", "cis-2.0.1")
    said += [auditor("diff", f"{PEAPODS}-fixed", PEAPODS, "--format", form)
             for form in ("text", "json", "sarif")]  # fmt: skip
    said += [auditor("audit", PEAPODS), auditor("audit", PEAPODS, "-q")]
    said += [auditor("compliance"), auditor("compliance", "--format", "json")]
    said += _in_forms(auditor, folder, "compliance", PEAPODS)
    for one in said:
        assert one.out
        text = f"{one.out}\n{one.err}".lower().replace(VERB, "").replace("certificate", "")
        assert not [word for word in FORBIDDEN if word in text], one.out[:200]
    text = _help().lower().replace("certificate", "").replace(VERB, "")
    text = re.sub(r"^  compliance  +say what is evidence", "", text, flags=re.MULTILINE)
    assert not [word for word in FORBIDDEN if word in text]


def test_standard_output_has_nothing_but_the_report(
    auditor: Command, pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is for whoever sits at the screen: it goes to standard error."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)
    said = auditor("audit", pod, "--format", "json")
    assert said.report["format"] == "auditor/1"


def test_the_next_command_speaks_of_the_same(auditor: Command, tmp_path: Path) -> None:
    """Followed to the letter, it shows the fixes that were counted, and no others."""
    (tmp_path / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    (tmp_path / "other.yaml").write_text(PRIVILEGED.replace("shop", "else"), "utf-8")
    only = ("-n", "shop", "--select", "workload/privileged_container", "--exclude", "x/*")
    said = auditor("audit", tmp_path, *only, "--fail-on", "never", "--format", "text")
    [shown, written] = [line for line in said.out.splitlines() if line.startswith("next: ")]
    words = shlex.split(shown.removeprefix("next: "), comments=True)
    assert "-n shop" in written
    assert "--fail-on" not in words, "`fix` has none"
    diff = auditor(*words[1:]).out
    assert diff.count("+++ ") == 1
    assert "pod.yaml" in diff


def test_a_policy_of_ones_own_can_be_explained_as_proposed(
    auditor: Command, tmp_path: Path
) -> None:
    """The folder of the policy is part of its address."""
    (tmp_path / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    flags = ("--policies", ROOT / "policies", "--no-builtin-policies", "--no-fixes")
    said = auditor("audit", tmp_path, *flags, "--select", "workload/privileged_container")
    [line] = [line for line in said.out.splitlines() if line.startswith("next: ")]
    assert str(ROOT / "policies") in line
    assert auditor(*shlex.split(line)[2:]).code == 0, said
    assert "privileged" in auditor(*shlex.split(line)[2:]).out


@pytest.fixture
def small_files() -> Iterator[None]:
    """A system on which no file can grow beyond a kilobyte, as a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_no_half_of_a_report_takes_the_place_of_a_whole_one(
    auditor: Command, pod: Path, folder: Path
) -> None:
    """Whoever reads the file next finds what was there; and is not told that nothing was done."""
    file = folder / "report.json"
    file.write_text('{"format": "auditor/1"}', "utf-8")
    said = auditor("audit", pod, "--no-cache", "--format", "text", "--format", "json", "-o", file)
    assert said.code == 2
    assert said.out.startswith("shop/web[Pod]")
    assert said.err == f"error: could not write: {file}: File too large\n"
    assert file.read_text("utf-8") == '{"format": "auditor/1"}'
    assert sorted(path.name for path in folder.iterdir()) == ["pod.yaml", "report.json"]


def test_a_report_goes_where_a_link_leads(auditor: Command, pod: Path, folder: Path) -> None:
    """And a file keeps its permissions; a new one has those of any other."""
    real, link = folder / "real.json", folder / "link.json"
    real.touch(0o640)
    real.chmod(0o640)
    link.symlink_to(real)
    auditor("audit", pod, "--format", "json", "-o", link)
    assert link.is_symlink()
    assert json.loads(real.read_text("utf-8"))["findings"]
    assert real.stat().st_mode & 0o777 == 0o640
    auditor("audit", pod, "--format", "json", "-o", folder / "new.json")
    assert (folder / "new.json").stat().st_mode == pod.stat().st_mode
