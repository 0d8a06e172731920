"""`auditor audit`: exit codes, what goes where, and what is done about it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from .command import HARMLESS, PEAPODS, PRIVILEGED, Command


def _write(folder: Path, text: str, name: str = "pod.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_clean_ends_with_0(auditor: Command, folder: Path) -> None:
    """Everything was seen and nothing was found."""
    assert auditor("audit", _write(folder, HARMLESS)).code == 0


def test_a_finding_ends_with_1(auditor: Command, folder: Path) -> None:
    """At the default threshold; the report says where."""
    said = auditor("audit", _write(folder, PRIVILEGED))
    assert said.code == 1
    assert "pod.yaml:11:" in said.out
    assert "container 'app' runs privileged" in said.out


@pytest.mark.parametrize(("threshold", "code"), [("critical", 0), ("high", 1), ("never", 0)])
def test_the_threshold_decides(auditor: Command, folder: Path, threshold: str, code: int) -> None:
    """The finding is of severity high."""
    assert auditor("audit", _write(folder, PRIVILEGED), "--fail-on", threshold).code == code


def test_an_empty_folder_ends_with_3(auditor: Command, folder: Path) -> None:
    """It says where it looked, and for what."""
    said = auditor("audit", folder)
    assert said.code == 3
    assert said.out == ""
    assert str(folder) in said.err
    assert "*.yaml" in said.err


def test_a_missing_path_ends_with_2(auditor: Command, folder: Path) -> None:
    """A typo in a path must not look like a clean folder."""
    _write(folder, HARMLESS)
    said = auditor("audit", folder / "pods.yaml")
    assert said.code == 2
    assert "pods.yaml" in said.err


def test_no_path_at_all_ends_with_2(auditor: Command) -> None:
    """Neither the current folder nor the current cluster is guessed."""
    said = auditor("audit")
    assert said.code == 2
    assert "--cluster" in said.err


BROKEN = {
    "no YAML": "apiVersion: v1\nkind: Pod\nmetadata: [1\n",
    "a tab": "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: web\n",
    "not UTF-8": HARMLESS.replace("name: web", "name: caf\xe9").encode("latin-1"),
    "a template": "apiVersion: v1\nkind: Pod\nmetadata: {{ .Values.meta }}\n  x: {{ y }}\n",
    "nameless": "apiVersion: v1\nkind: Pod\nmetadata: {}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_read_ends_with_4(auditor: Command, folder: Path, text: str | bytes) -> None:
    """The file is named, and the rest of the folder is still audited."""
    (folder / "broken.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    _write(folder, HARMLESS)
    said = auditor("audit", folder, "--format", "json")
    assert said.code == 4
    gaps = [gap for gap in said.report["gaps"] if gap["severity"] == "incomplete"]
    assert gaps
    assert all("broken.yaml" in gap["what"] for gap in gaps)
    _write(folder, PRIVILEGED, "worse.yaml")
    assert auditor("audit", folder).code == 1


def test_what_manifests_cannot_tell_counts_when_strict(auditor: Command) -> None:
    """Without nodes nobody can say what is near; that is shown, and fails only on request."""
    files = [file for file in sorted(PEAPODS.glob("*.yaml")) if file.name != "nodes.yaml"]
    said = auditor("audit", *files, "--format", "json", "--select", "placement")
    assert said.code == 0
    assert {gap["severity"] for gap in said.report["gaps"]} == {"unknown"}
    assert auditor("audit", *files, "--strict", "--select", "placement").code == 4


def test_standard_input_is_read(auditor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """For pipes: `helm template . | auditor audit -`."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PRIVILEGED.encode())))
    said = auditor("audit", "-", "--format", "json")
    assert said.code == 1
    assert said.report["findings"][0]["file"] == "<stdin>"


def test_a_report_goes_into_a_file(auditor: Command, folder: Path) -> None:
    """And nothing else is on standard output."""
    target = folder / "out.json"
    said = auditor("audit", _write(folder, PRIVILEGED), "--format", "json", "-o", target)
    assert (said.code, said.out) == (1, "")
    assert json.loads(target.read_text("utf-8"))["format"] == "auditor/1"


def test_a_folder_that_cannot_be_written_to_is_named(auditor: Command, folder: Path) -> None:
    """One sentence, no traceback."""
    target = folder / "missing" / "out.json"
    said = auditor("audit", _write(folder, PRIVILEGED), "-o", target)
    assert said.code == 2
    assert str(target) in said.err


def test_a_baseline_hides_what_is_known(auditor: Command, folder: Path) -> None:
    """Only a new fault fails the run; the known one is still in the report, marked."""
    file = _write(folder, PRIVILEGED)
    old = folder.parent / "old.json"
    auditor("audit", file, "--format", "json", "-o", old)
    flags = ("--baseline", old, "--fail-on", "new", "--format", "json")
    said = auditor("audit", folder, *flags)
    assert (said.code, said.report["findings"][0]["status"]) == (0, "baseline")
    _write(folder, PRIVILEGED.replace("name: web", "name: other"), "other.yaml")
    assert auditor("audit", folder, *flags).code == 1


def test_new_needs_a_baseline(auditor: Command, folder: Path) -> None:
    """Without one nothing could be old."""
    said = auditor("audit", _write(folder, PRIVILEGED), "--fail-on", "new")
    assert said.code == 2
    assert "--baseline" in said.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "auditor/9", "findings": []}'])
def test_a_baseline_that_is_none_is_refused(auditor: Command, folder: Path, text: str) -> None:
    """It would silently make everything new, or nothing."""
    file = _write(folder, PRIVILEGED)
    old = _write(folder.parent, text, "old.json")
    said = auditor("audit", file, "--baseline", old, "--fail-on", "new")
    assert said.code == 2
    assert "old.json" in said.err


WAIVER = """\
waivers:
  - policy: workload/privileged_container
    object: shop/web
    reason: until the move
"""


def test_a_waived_fault_is_counted_and_does_not_fail(auditor: Command, folder: Path) -> None:
    """The nearest .auditor.yaml says who answers for it."""
    _write(folder, PRIVILEGED)
    _write(folder, WAIVER, ".auditor.yaml")
    only = ("--select", "workload/privileged_container")
    said = auditor("audit", folder, "--format", "json", *only)
    assert said.code == 0
    assert [f["status"] for f in said.report["findings"]] == ["waived"]
    assert "1 waived" in auditor("audit", folder, *only).out


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("waivers: 3\n", "waivers"),
        ("waivers: [{policy: a, object: b, reason: c, until: 2027-13-31}]\n", "month"),
        ("topologi: {}\n", "did you mean 'topology'"),
        ("waivers: [{polcy: a}]\n", "waivers.0"),
        ("waivers: [{policy: a, object: b}]\n", "waivers.0.reason"),
        ("waivers: [{policy: a, object: b, reason: c, until: soon}]\n", "waivers.0.until"),
        ("topologie: {}\n", "topologie"),
        ("topology: {rak: x}\n", "topology.rak"),
        ("a: [\n", "YAML"),
    ],
)
def test_a_wrong_configuration_names_file_and_field(
    auditor: Command, folder: Path, text: str, field: str
) -> None:
    """A misspelt waiver must not be passed over."""
    _write(folder, PRIVILEGED)
    _write(folder, text, ".auditor.yaml")
    said = auditor("audit", folder)
    assert said.code == 2
    assert ".auditor.yaml" in said.err
    assert field in said.err


def test_a_framework_shows_what_nobody_covers(auditor: Command, folder: Path) -> None:
    """A control without a policy is a gap, never a pass."""
    said = auditor("audit", _write(folder, HARMLESS), "--framework", "cis-2.0.1",
                   "--fail-on", "never", "--format", "json")  # fmt: skip
    assert said.code == 4
    assert any("cis-2.0.1/1.1.1 " in gap["what"] for gap in said.report["gaps"])
    assert not any("cis-2.0.1/5.2.2 " in gap["what"] for gap in said.report["gaps"])


@pytest.mark.parametrize(
    "flags",
    [
        ("--framework", "pss-basline"),
        ("--select", "workload/priviledged_container"),
        ("--kubernetes-version", "1.99"),
        ("--kubernetes-version", "newest"),
        ("--profile", "paranoid"),
    ],
)
def test_an_unknown_choice_is_a_usage_error(
    auditor: Command, folder: Path, flags: tuple[str, str]
) -> None:
    """It names what was said, and what there is."""
    said = auditor("audit", _write(folder, HARMLESS), *flags)
    assert said.code == 2
    assert flags[1] in said.err


def test_both_engines_give_one_answer(auditor: Command) -> None:
    """`--engine both` demands it, policy by policy and object by object."""
    said = auditor("audit", PEAPODS, "--engine", "both", "--format", "json", "--no-fixes")
    one = auditor("audit", PEAPODS, "--format", "json", "--no-fixes")
    assert said.report["findings"] == one.report["findings"]
    assert len(said.report["findings"]) >= 4
    assert said.report["gaps"] == []


def test_a_control_is_uncovered_where_its_policy_is_not_asked(
    auditor: Command, folder: Path
) -> None:
    """`--select` beside `--framework` narrows what is asked, and says what that leaves open."""
    said = auditor("audit", _write(folder, HARMLESS), "--framework", "pss-baseline",
                   "--select", "placement", "--format", "json")  # fmt: skip
    assert any("pss-baseline/privileged" in gap["what"] for gap in said.report["gaps"])


def test_a_report_says_why_findings_do_not_fail_and_gaps_do(
    auditor: Command, tmp_path: Path
) -> None:
    """0 is not "clean" while there are findings, and 4 is not about those."""
    file = tmp_path / "pod.yaml"
    file.write_text(PRIVILEGED, "utf-8")
    flags = ("--select", "workload/privileged_container", "--no-fixes")
    ends = "exit 0: nothing is critical\n"
    assert ends in auditor("audit", file, *flags, "--fail-on", "critical").out
    assert "exit " not in auditor("audit", file, *flags).out, "1 is plain"
    file.write_text(HARMLESS + "---\nkind: Pod\nmetadata: [1\n", "utf-8")
    said = auditor("audit", file, *flags)
    assert said.code == 4
    assert "exit 4: 1 gap\n" in said.out


def test_standard_input_is_called_so(
    auditor: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No file is named `-`, and no folder was looked through."""
    monkeypatch.chdir(tmp_path)
    for text, told in (
        ("", "no Kubernetes object on standard input"),
        (HARMLESS, "evidence: standard input on"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        said = auditor("audit", "-")
        assert told in said.out + said.err


def test_what_a_policy_lacks_is_named_as_one_would(auditor: Command, tmp_path: Path) -> None:
    """A template that nobody rendered by its place, a list as one."""
    (tmp_path / "helm").mkdir()
    template = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}-web\n"
    (tmp_path / "helm" / "deploy.yaml").write_text(template, "utf-8")
    select = ("--select", "disruption/evicted_pod_fits_nowhere")
    lines = auditor("audit", tmp_path, *select).out.splitlines()
    place = f"{tmp_path}/helm/deploy.yaml:4"
    assert f"  {place}: a template that is not rendered" in lines
    text = " ".join(" ".join(lines).split())
    assert f"it needs every Deployment, and {place} could not be read" in text
