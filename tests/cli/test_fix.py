"""`auditor fix`: what is shown, what is written, and what is left alone."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import fix as cli_fix
from auditor.cli.joint import together
from auditor.cli.rewrite import rewrite
from auditor.errors import WriteError

from .command import HARMLESS, PEAPODS, PRIVILEGED, Command


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """The example company, to be written to."""
    return Path(shutil.copytree(PEAPODS, tmp_path / "peapods"))


def _texts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_the_diff_applies_with_git(auditor: Command, company: Path) -> None:
    """What is shown can be reviewed, sent and applied like any patch; then all is right."""
    said = auditor("fix", company, "--unsafe")
    assert said.code == 1, "the faults are still there"
    before = _texts(company)
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "-p2" if str(company).startswith("/") else "-p1", "-"],
        input=said.out.replace(f"a{company}", "a/x").replace(f"b{company}", "b/x"),
        text=True, check=True, cwd=company,
    )  # fmt: skip
    assert _texts(company) != before
    assert auditor("audit", company, "--strict").code == 0


def test_nothing_is_written_unasked(auditor: Command, company: Path) -> None:
    """Showing is not writing."""
    before = _texts(company)
    auditor("fix", company)
    assert _texts(company) == before


def test_only_safe_fixes_are_written(auditor: Command, company: Path) -> None:
    """To take a privilege away may break the program that used it: that is said, and left."""
    before = _texts(company)
    said = auditor("fix", company, "--write")
    assert said.code == 1, "a fault is left"
    after = _texts(company)
    changed = {name for name in after if after[name] != before[name]}
    assert {"customers.yaml", "diets.yaml", "orders.yaml"} <= changed
    assert "reports.yaml" not in changed
    assert "left alone: workload/privileged_container shop/nightly-report[CronJob]" in said.err
    assert said.err.splitlines()[-1] == (
        "exit 1: 1 finding of severity high or above is left: 1 with a proven fix that may change"
        " behaviour (--unsafe)"
    )
    assert auditor("fix", company, "--write", "--unsafe").code == 0
    assert auditor("audit", company, "--strict").code == 0


def test_what_ends_a_run_otherwise_is_said_last(auditor: Command, folder: Path) -> None:
    """Findings without a fix, and what could not be seen; nothing where it ends with 0."""
    file = folder / "pod.yaml"
    file.write_text(PRIVILEGED, "utf-8")
    (folder / "again.yaml").write_text(PRIVILEGED, "utf-8")
    said = auditor(
        "fix", folder, "--write", "--unsafe", "--select", "workload/privileged_container"
    )
    assert said.code == 1
    assert said.err.splitlines()[-1] == (
        "exit 1: 2 findings of severity high or above are left: 2 without a proven fix"
    )
    file.write_text("kind: [", "utf-8")
    (folder / "again.yaml").write_text(HARMLESS, "utf-8")
    said = auditor("fix", folder, "--write", "--select", "workload/privileged_container")
    assert said.code == 4
    assert said.err.splitlines()[-1] == "exit 4: 1 gap: something could not be seen"
    file.write_text(HARMLESS, "utf-8")
    (folder / "again.yaml").unlink()
    assert "exit" not in auditor("fix", folder, "--write").err


def test_a_second_time_changes_nothing(auditor: Command, company: Path) -> None:
    """A fix that is asked for again finds nothing to do."""
    auditor("fix", company, "--write", "--unsafe")
    once = _texts(company)
    said = auditor("fix", company, "--write", "--unsafe")
    assert said.code == 0
    assert _texts(company) == once


def test_every_other_byte_stays(auditor: Command, tmp_path: Path) -> None:
    """Comments, line ends, quotes, a missing last line end and the file's mode."""
    text = PRIVILEGED.replace("\n", "\r\n").replace("name: web", "name:   'web'").rstrip()
    file = tmp_path / "pod.yaml"
    file.write_bytes(text.encode())
    file.chmod(0o640)
    flags = ("--write", "--unsafe", "--select", "workload/privileged_container")
    assert auditor("fix", file, *flags).code == 0
    fixed = text.replace("privileged: true", "privileged: false")
    assert file.read_bytes().decode() == fixed + "\r\n        allowPrivilegeEscalation: false"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_standard_input_cannot_be_written_to(
    auditor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nowhere to write."""
    said = auditor("fix", "-", "--write")
    assert said.code == 2
    assert "standard input" in said.err


def test_what_is_written_twice_is_reported_twice_and_left_alone(
    auditor: Command, tmp_path: Path
) -> None:
    """Of two objects with one identity only one can be there: which, nobody can tell."""
    for name in ("dev", "prod"):
        (tmp_path / f"{name}.yaml").write_text(PRIVILEGED, "utf-8")
    only = ("--select", "workload/privileged_container")
    said = auditor("audit", tmp_path, "--format", "json", *only)
    places = [(Path(f["file"]).name, f["line"]) for f in said.report["findings"]]
    assert sorted(places) == [("dev.yaml", 11), ("prod.yaml", 11)]
    assert not any(f["fix"]["proven"] for f in said.report["findings"])
    said = auditor("fix", tmp_path, "--write", "--unsafe")
    assert "written more than once" in said.err
    assert (tmp_path / "dev.yaml").read_text("utf-8") == PRIVILEGED


def test_a_link_stays_a_link(auditor: Command, tmp_path: Path) -> None:
    """What it leads to is written, as by any editor."""
    file, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    file.write_text(PRIVILEGED, "utf-8")
    link.symlink_to(file)
    assert auditor("fix", link, "--write", "--unsafe").code == 0
    assert link.is_symlink()
    assert "privileged: false" in file.read_text("utf-8")


def test_of_several_files_all_are_written_or_none(tmp_path: Path) -> None:
    """Half of what was proven together was never proven."""
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("a", "utf-8")
    other.write_text("changed by somebody", "utf-8")
    with pytest.raises(WriteError, match=r"other\.yaml has changed since it was audited"):
        rewrite({str(one): ("a", "b"), str(other): ("c", "d")})
    with pytest.raises(WriteError, match=r"gone\.yaml"):
        rewrite({str(one): ("a", "b"), str(tmp_path / "gone.yaml"): ("c", "d")})
    assert one.read_text("utf-8") == "a"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.yaml", "other.yaml"]


def test_what_could_not_be_seen_is_told(auditor: Command, tmp_path: Path) -> None:
    """Also where everything that was seen could be fixed."""
    (tmp_path / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    (tmp_path / "bad.yaml").write_text("kind: Pod\nmetadata: [1\n", "utf-8")
    said = auditor("fix", tmp_path, "--write", "--unsafe")
    assert said.code == 4
    assert "could not be seen: " in said.err
    assert "bad.yaml" in said.err


def test_names_cannot_act_on_the_terminal(auditor: Command, tmp_path: Path) -> None:
    """A manifest is somebody else's text."""
    name = '"x\\e[2J\\e]0;owned\\a"'
    (tmp_path / "pod.yaml").write_text(PRIVILEGED.replace("name: web", f"name: {name}"), "utf-8")
    said = auditor("fix", tmp_path, "--write")
    assert "\\x1b[2J" in said.err
    assert "\x1b" not in said.out + said.err


def test_a_fault_behind_a_fault_is_mended_in_the_same_run(auditor: Command, tmp_path: Path) -> None:
    """The ports of a pod on its node's network are told of when it has a network of its own."""
    spec = "spec:\n  hostNetwork: true\n"
    text = PRIVILEGED.replace("spec:\n", spec).replace(
        "      securityContext:",
        "      ports: [{containerPort: 80, hostPort: 80}]\n      securityContext:",
    )
    (tmp_path / "pod.yaml").write_text(text, "utf-8")
    assert auditor("fix", tmp_path, "--write", "--unsafe").code == 0
    fixed = (tmp_path / "pod.yaml").read_text("utf-8")
    assert "hostNetwork: false" in fixed
    assert "hostPort" not in fixed


BESIDE = (
    PRIVILEGED.replace("# for now", "").replace("app:1.0.0", "app:1.0.0 # a")
    + """\
    {first}
      {second}
      image: registry.example/app:1.0.0
"""
)
TOKEN = 'args: ["--api-token=ghp_0123456789abcdefghijABCDEFGHIJ012345"]'


@pytest.mark.parametrize("program", [["git", "apply", "--check"], ["patch", "-p1", "-F0"]])
def test_a_diff_beside_a_credential_applies_exactly(
    auditor: Command, folder: Path, program: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is left out of the context, and no program has to guess where the rest belongs."""
    monkeypatch.chdir(folder)
    text = BESIDE.format(first="- name: b", second=TOKEN)
    Path("pod.yaml").write_text(text, "utf-8")
    said = auditor("fix", "pod.yaml", "--unsafe", "--select", "workload/privileged_container")
    assert "ghp_" not in said.out + said.err
    subprocess.run(program, input=said.out, text=True, check=True)


def test_a_diff_that_cannot_apply_says_so(
    auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the credential right below the change there is no context to find the place by."""
    monkeypatch.chdir(folder)
    text = BESIDE.format(first=f"- {TOKEN}", second="name: b")
    Path("pod.yaml").write_text(text, "utf-8")
    flags = ("--unsafe", "--select", "workload/privileged_container")
    said = auditor("fix", "pod.yaml", *flags)
    assert "so that the diff may not apply; --write edits the file" in said.err
    auditor("fix", "pod.yaml", *flags, "--write")
    assert "privileged: false" in Path("pod.yaml").read_text("utf-8")
    assert "ghp_" in Path("pod.yaml").read_text("utf-8")


def test_the_diff_of_a_folder_beside_this_one_applies_where_it_says(
    auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program follows `..` in a diff: the names begin at the top of the repository."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name in ("k8s/app", "k8s/tools"):
        (folder / name).mkdir(parents=True)
    file = folder / "k8s/app/pod.yaml"
    file.write_text(PRIVILEGED, "utf-8")
    monkeypatch.chdir(folder / "k8s/tools")
    flags = ("--unsafe", "--select", "workload/privileged_container")
    said = auditor("fix", "../app", *flags)
    assert "--- a/k8s/app/pod.yaml\n" in said.out
    assert f"begin at {folder}: apply it there" in said.err
    subprocess.run(["git", "apply", "-"], input=said.out, text=True, check=True, cwd=folder)
    assert "privileged: false" in file.read_text("utf-8")


def test_what_only_unsafe_shows_is_not_called_nothing(auditor: Command, folder: Path) -> None:
    """Whoever reads that there is no fix does not ask for one."""
    file = folder / "pod.yaml"
    file.write_text(PRIVILEGED, "utf-8")
    select = ("--select", "workload/privileged_container")
    said = auditor("fix", file, *select).err
    assert "no safe fix; 1 of 1 finding has a proven one that may change behaviour" in said
    file.write_text(HARMLESS, "utf-8")
    assert "nothing to fix: no findings\n" in auditor("fix", file, *select).err


def test_what_is_left_alone_can_be_found(auditor: Command, folder: Path) -> None:
    """Each policy and reason is said once, with the places to look at."""
    file = folder / "pod.yaml"
    one = PRIVILEGED.replace("# for now", "")
    second = one[one.index("    - name: app") :].replace("name: app", "name: side")
    file.write_text(one + second, "utf-8")
    said = auditor("fix", file, "--select", "workload/privileged_container").err
    [line] = [line for line in said.splitlines() if line.startswith("left alone: ")]
    assert "in 2 places: " in line
    assert f"shop/web[Pod] 'app' ({file}:11)" in line
    assert f"shop/web[Pod] 'side' ({file}:15)" in line


def test_a_gap_has_one_name_in_both_commands(auditor: Command, folder: Path) -> None:
    """`could not be seen` is what ends with 4; what cannot be told does not."""
    file = folder / "pod.yaml"
    file.write_text(HARMLESS + "---\n" + HARMLESS, "utf-8")
    flags = ("--select", "workload/privileged_container")
    for verb in ("audit", "fix"):
        said = auditor(verb, file, *flags)
        assert said.code == 0
        assert "cannot be told from what was read" in said.out + said.err
        assert "could not be seen" not in said.out + said.err


def test_where_one_of_several_files_cannot_be_put_in_its_place_none_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was put there before is put back."""
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    edits = {str(one): ("a", "b"), str(other): ("c", "d")}
    put = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        if target == other:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return put(self, target)

    monkeypatch.setattr(Path, "replace", refusing)
    one.write_text("a", "utf-8")
    other.write_text("c", "utf-8")
    with pytest.raises(WriteError, match=r"other\.yaml: .* busy; no file was changed"):
        rewrite(edits)
    assert (one.read_text("utf-8"), other.read_text("utf-8")) == ("a", "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.yaml", "other.yaml"]


def test_what_was_written_is_told_also_where_the_next_round_fails(
    auditor: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault behind the fault is left; the file that was mended before stays mended."""
    spec = "spec:\n  hostNetwork: true\n"
    text = PRIVILEGED.replace("spec:\n", spec).replace(
        "      securityContext:",
        "      ports: [{containerPort: 80, hostPort: 80}]\n      securityContext:",
    )
    file = tmp_path / "pod.yaml"
    file.write_text(text, "utf-8")
    whole, rounds = together, []

    def once(*given: Any) -> Any:
        rounds.append(given)
        if len(rounds) > 1:
            raise WriteError("the fixes do not go together")
        return whole(*given)

    monkeypatch.setattr(cli_fix, "together", once)
    said = auditor("fix", file, "--write", "--unsafe")
    assert said.code == 2
    assert f"wrote {file}" in said.out
    assert "error: could not write: the fixes do not go together" in said.err
    assert "hostNetwork: false" in file.read_text("utf-8")


CLASHING = """\
apiVersion: v1
kind: Pod
metadata: {name: ports, namespace: shop}
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      ports:
        - {name: Web, containerPort: 80}
"""


def _clashing(policies: Path) -> None:
    """Two policies of somebody's own that want the same field otherwise."""
    for name, value in (("one", "first"), ("two", "second")):
        (policies / "own").mkdir(parents=True, exist_ok=True)
        (policies / "own" / f"{name}.rego").write_text(
            f"""# METADATA
# title: Wants the label to be {value}
# description: Its own way.
# custom:
#   severity: medium
#   fix: deterministic
#   kinds: [Pod]
package policies.own.{name}

deny contains finding if {{
	not input.object.metadata.labels.way == "{value}"
	finding := {{
		"path": ["metadata", "name"],
		"message": "the way is not {value}",
		"fix": {{
			"title": "go the way {value}",
			"safety": "safe",
			"patch": [{{"op": "add", "path": ["metadata", "labels", "way"], "value": "{value}"}}],
		}},
	}}
}}
""",
            "utf-8",
        )


def test_fixes_that_clash_keep_no_others_from_being_written(
    auditor: Command, tmp_path: Path
) -> None:
    """One of the two is written, the other one is told, and so is why the run ends as it does."""
    _clashing(tmp_path / "policies")
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(CLASHING, "utf-8")
    (folder / "b.yaml").write_text(PRIVILEGED, "utf-8")
    chosen = ("--policies", tmp_path / "policies", "--select", "own", "--select", "workload")
    shown = auditor("fix", folder, "--unsafe", *chosen)
    assert shown.out.count("way: first") == 2
    (left,) = [line for line in shown.err.splitlines() if line.startswith("left alone: own/")]
    assert "in 2 places: " in left
    assert "the fixes do not go together" in left
    said = auditor("fix", folder, "--write", "--unsafe", *chosen)
    assert f"wrote {folder / 'a.yaml'}" in said.out
    assert "privileged: true" not in (folder / "b.yaml").read_text("utf-8")
    assert "way: first" in (folder / "a.yaml").read_text("utf-8")
