"""The same question about files that have not changed gets the same answer, and costs nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click
import orjson
import pytest

from auditor.cli.audit import audit
from auditor.cli.cache import first_key
from auditor.cli.shelf import DIGITS, FORM, MOST_ENTRIES, Packer, Shelf, unpacked
from tests.cli.command import HARMLESS, PRIVILEGED, Command, Said

POLICY = """\
# METADATA
# title: A name
# description: Everything has one.
# custom:
#   severity: high
#   fix: none
package policies.mine.named

deny contains {"path": ["metadata"], "message": "it has a name"}
"""
ORIGIN = '[remote "origin"]\n\turl = https://git.example/shop.git\n'
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  source: {repoURL: https://git.example/shop.git, path: later}
  destination: {namespace: shop}
"""
APPLIED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - {name: shop, image: "registry.example/shop:1", ports: [{containerPort: 8080}]}
---
"""
SERVED = """\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {selector: {app: shop}, ports: [{port: 8080}]}
"""
JUDGED_AGAIN = 70


class Asked:
    """The same question, again and again."""

    def __init__(self, auditor: Command, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.auditor, self.folder, self.patch = auditor, folder, patch
        self.flags: tuple[str, ...] = ("--format", "json")

    def first(self) -> Said:
        """The answer that may be kept, and a judge who is gone afterwards."""
        time.sleep(0.05)  # what was written only just now may be written again
        said = self.auditor("audit", str(self.folder), *self.flags)
        self.patch.setattr("auditor.audit.audit", _gone)
        return said

    def again(self, *more: str, env: dict[str, str] | None = None) -> Said:
        """The answer to the same question."""
        return self.auditor("audit", str(self.folder), *self.flags, *more, env=env)


def _gone(*_: object) -> None:
    raise RuntimeError("it is judged again")


@pytest.fixture
def asked(auditor: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """About a folder with one fault, a configuration and a part that says nothing."""
    (folder / "web.yaml").write_text(PRIVILEGED, "utf-8")
    (folder / "part").mkdir()
    (folder / "part" / "note.txt").write_text("no manifest", "utf-8")
    (folder / ".auditor.yaml").write_text("waivers: []\n", "utf-8")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")  # a report says when it was made
    return Asked(auditor, folder, monkeypatch)


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_the_same_bytes_and_the_same_exit_code_without_judging(asked: Asked, form: str) -> None:
    """In every form; and it is what is said without the cache."""
    asked.flags = ("--format", form)
    fresh = asked.auditor("audit", str(asked.folder), *asked.flags, "--no-cache")
    first = asked.first()
    assert first.code == 1
    assert asked.again() == first == fresh


def test_a_program_that_has_loaded_nothing_yet_remembers(folder: Path, tmp_path: Path) -> None:
    """What it loads for the first time, as here to place pods, it asks of nobody."""
    (folder / "app.yaml").write_text(APPLIED + SERVED, "utf-8")
    time.sleep(0.05)
    kept = tmp_path / "kept"
    program = Path(sys.executable).with_name("auditor")
    environment = {**os.environ, "AUDITOR_CACHE_DIR": str(kept)}
    asked = [str(program), "audit", str(folder), "--format", "json"]
    said = subprocess.run(asked, env=environment, capture_output=True, check=False)
    assert b"disruption/no_budget" in said.stdout
    assert any(file.is_file() for file in kept.rglob("*"))


def test_files_are_written_again(asked: Asked, tmp_path: Path) -> None:
    """Those that the first run wrote."""
    file = tmp_path / "report.json"
    asked.flags = ("--format", "json", "--output", str(file))
    first = asked.first()
    text = file.read_bytes()
    file.unlink()
    assert asked.again() == first
    assert file.read_bytes() == text


def test_a_file_that_cannot_be_written_again_is_an_error(asked: Asked, tmp_path: Path) -> None:
    """As it is without a cache: the run is done again, and says so itself."""
    file = tmp_path / "there" / "report.json"
    file.parent.mkdir()
    asked.flags = ("--format", "json", "--output", str(file))
    asked.first()
    shutil.rmtree(file.parent)
    assert asked.again().code == JUDGED_AGAIN


def edited(folder: Path) -> None:
    (folder / "web.yaml").write_text(HARMLESS, "utf-8")


def edited_at_the_same_time(folder: Path) -> None:
    status = (folder / "web.yaml").stat()
    (folder / "web.yaml").write_text(PRIVILEGED.replace("web", "wob"), "utf-8")
    os.utime(folder / "web.yaml", ns=(status.st_atime_ns, status.st_mtime_ns))


def added(folder: Path) -> None:
    (folder / "part" / "more.yaml").write_text(HARMLESS, "utf-8")


def removed(folder: Path) -> None:
    (folder / "web.yaml").unlink()


def renamed(folder: Path) -> None:
    (folder / "web.yaml").rename(folder / "wob.yaml")


def linked(folder: Path) -> None:
    (folder / "out.yaml").symlink_to("/etc/hostname")


def configured(folder: Path) -> None:
    (folder / ".auditor.yaml").write_text("topology: {rack: r}\n", "utf-8")


def made_a_chart(folder: Path) -> None:
    (folder / "Chart.yaml").write_text("name: a\nversion: 0.1.0\napiVersion: v2\n", "utf-8")


def lost(folder: Path) -> None:
    (folder / "web.yaml").unlink()
    (folder / "web.yaml").symlink_to(folder / "nowhere")


@pytest.mark.parametrize(
    "change",
    [edited, edited_at_the_same_time, added, removed, renamed, linked, configured, made_a_chart,
     lost],
)  # fmt: skip
def test_any_change_is_judged(asked: Asked, change: Callable[[Path], None]) -> None:
    """Of a file, of a list of files, of the configuration."""
    asked.first()
    change(asked.folder)
    nothing_there = 3
    assert asked.again().code == (nothing_there if change is removed else JUDGED_AGAIN)


def test_a_configuration_that_appears_is_read(asked: Asked) -> None:
    """There was none here nor above."""
    (asked.folder / ".auditor.yaml").unlink()
    asked.first()
    (asked.folder.parent / ".auditor.yaml").write_text("waivers: []\n", "utf-8")
    assert asked.again().code == JUDGED_AGAIN


@pytest.mark.parametrize("name", [".trivyignore", ".trivyignore.yaml"])
def test_waivers_of_another_tool_that_appear_are_read(asked: Asked, name: str) -> None:
    """Beside a configuration above what is audited, where nothing is listed."""
    asked.flags = ("--format", "json", "--honour-waivers-of", "trivy")
    (asked.folder / ".auditor.yaml").rename(asked.folder.parent / ".auditor.yaml")
    asked.first()
    (asked.folder.parent / name).write_text("", "utf-8")
    assert asked.again().code == JUDGED_AGAIN


def test_a_folder_that_an_application_deploys_may_appear(asked: Asked) -> None:
    """Nothing lists where it would be: what GitOps objects deploy is not remembered."""
    folder = asked.folder / "apps"
    folder.mkdir()
    (asked.folder / ".git").mkdir()
    (asked.folder / ".git" / "config").write_text(ORIGIN, "utf-8")
    (folder / "app.yaml").write_text(APPLICATION, "utf-8")
    asked.folder = folder
    assert asked.first().code == 4
    (folder.parent / "later").mkdir()
    (folder.parent / "web.yaml").rename(folder.parent / "later" / "web.yaml")
    assert asked.again().code == JUDGED_AGAIN


def test_a_baseline_and_policies_of_ones_own_count(asked: Asked, tmp_path: Path) -> None:
    """Their content, like that of any file that is read."""
    baseline = tmp_path / "old.json"
    asked.auditor("audit", str(asked.folder), "--format", "json", "-o", str(baseline))
    policy = tmp_path / "own" / "mine" / "named.rego"
    policy.parent.mkdir(parents=True)
    policy.write_text(POLICY, "utf-8")
    asked.flags = ("--baseline", str(baseline), "--policies", str(tmp_path / "own"))
    first = asked.first()
    assert "it has a name" in first.out
    assert asked.again() == first
    policy.write_text(POLICY.replace("a name", "no name"), "utf-8")
    assert asked.again().code == JUDGED_AGAIN
    policy.write_text(POLICY, "utf-8")
    assert asked.again() == first
    baseline.write_text(baseline.read_text("utf-8").replace("web", "wob"), "utf-8")
    assert asked.again().code == JUDGED_AGAIN


def test_other_questions_are_judged(asked: Asked) -> None:
    """Another flag, another variable, another day."""
    asked.first()
    assert asked.again("--strict").code == JUDGED_AGAIN
    assert asked.again("--no-cache").code == JUDGED_AGAIN
    assert asked.again(env={"GITHUB_SERVER_URL": "https://git.example"}).code == JUDGED_AGAIN
    asked.patch.delenv("GITHUB_SERVER_URL")
    assert asked.again().code == 1
    asked.patch.setattr("time.gmtime", lambda: time.struct_time((2199, 1, 1, 0, 0, 0, 0, 1, 0)))
    assert asked.again().code == JUDGED_AGAIN


NAMES = [parameter.name or "" for parameter in audit.params]


@pytest.mark.parametrize("name", [*NAMES, "a_flag_of_tomorrow"])
def test_every_parameter_counts(name: str) -> None:
    """Also one that nobody has thought of yet: none is listed."""
    keys = set()
    for value in ("one", "another"):
        context = click.Context(audit)
        context.params = {**dict.fromkeys(NAMES), name: value}
        with context:
            keys.add(first_key())
    assert len(keys) == 2


def test_what_a_program_builds_is_not_remembered(asked: Asked) -> None:
    """Nobody tells us which files it read."""
    (asked.folder / "kustomization.yaml").write_text("resources: [web.yaml]\n", "utf-8")
    asked.first()
    assert asked.again().code == JUDGED_AGAIN


def test_an_answer_about_what_was_written_just_now_is_not_remembered(asked: Asked) -> None:
    """It may have changed after it was read."""
    later = time.time() + 60
    asked.patch.setattr("time.time_ns", lambda: int((later - 3600) * 1e9))
    asked.first()
    assert asked.again().code == JUDGED_AGAIN


def test_what_is_kept_is_for_its_owner_alone_and_holds_no_credential(asked: Asked) -> None:
    """Neither the manifests are in it nor what reports hide."""
    canary = "hunter2-correct-horse"
    secret = f"      env: [{{name: DB_PASSWORD, value: {canary}}}]\n"
    (asked.folder / "web.yaml").write_text(PRIVILEGED + secret, "utf-8")
    first = asked.first()
    assert asked.again() == first
    (entry,) = asked.auditor.cache.iterdir()
    assert asked.auditor.cache.stat().st_mode & 0o077 == 0
    assert entry.stat().st_mode & 0o077 == 0
    kept = Shelf(asked.auditor.cache).get(entry.stem)
    assert kept is not None
    shown = b"".join(unpacked(kept["out"])).decode()
    assert "runs privileged" in shown
    assert canary not in repr(kept) + shown


def opened(cache: Path) -> None:
    cache.chmod(0o755)


def broken(cache: Path) -> None:
    for entry in cache.iterdir():
        entry.write_bytes(entry.read_bytes()[:-20])


def changed(cache: Path) -> None:
    for entry in cache.iterdir():
        entry.write_bytes(entry.read_bytes().replace(b'"code": 1', b'"code": 0'))


def _whole(cache: Path, body: str) -> None:
    """As if it had been written so."""
    digest = hashlib.blake2b(body.encode(), digest_size=DIGITS // 2).hexdigest()
    for entry in cache.iterdir():
        entry.write_text(digest + body, "utf-8")


def strange(cache: Path) -> None:
    _whole(cache, json.dumps({"form": FORM, "files": [], "out": "", "err": "", "written": {}}))


def older(cache: Path) -> None:
    (entry,) = cache.iterdir()
    told = json.loads(entry.read_bytes()[DIGITS:])
    _whole(cache, json.dumps({**told, "form": FORM - 1}))


def another_list(cache: Path) -> None:
    _whole(cache, "[1]")


def led_elsewhere(cache: Path) -> None:
    for entry in cache.iterdir():
        entry.rename(cache.parent / "other")
        entry.symlink_to(cache.parent / "other")


@pytest.mark.parametrize(
    "change", [opened, broken, changed, strange, older, another_list, led_elsewhere]
)
def test_what_is_not_ours_is_no_answer(asked: Asked, change: Callable[[Path], None]) -> None:
    """A folder that others may write to, an entry that is not whole, a link."""
    asked.first()
    change(asked.auditor.cache)
    assert asked.again().code == JUDGED_AGAIN


def test_a_cache_that_cannot_be_written_changes_nothing(asked: Asked, tmp_path: Path) -> None:
    """The answer is the same."""
    asked.auditor.cache = tmp_path / "file" / "cache"
    asked.auditor.cache.parent.write_text("in the way", "utf-8")
    assert asked.first().code == 1


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    """What was used last stays."""
    shelf = Shelf(tmp_path)
    nothing = Packer().packed()
    entry = {"out": nothing, "err": nothing, "written": {}}
    keys = [f"{number:064x}" for number in range(MOST_ENTRIES + 1)]
    for number, key in enumerate(keys[:-1]):
        shelf.put(key, entry)
        os.utime(tmp_path / f"{key}.json", (number, number))
    assert shelf.get(keys[0]) is not None
    shelf.put(keys[-1], entry)
    assert len(list(tmp_path.iterdir())) == MOST_ENTRIES
    assert shelf.get(keys[1]) is None
    assert shelf.get(keys[0]) is not None
    assert shelf.get(keys[-1]) is not None


def test_what_somebody_else_put_there_stays(tmp_path: Path) -> None:
    """Whoever names a folder of their own for the answers loses nothing of it."""
    theirs = [tmp_path / name for name in ("notes.txt", "0001.json", ".hidden", "a" * 64)]
    for file in theirs:
        file.write_text("mine", "utf-8")
        os.utime(file, (0, 0))
    shelf = Shelf(tmp_path)
    nothing = Packer().packed()
    for number in range(MOST_ENTRIES + 3):
        shelf.put(f"{number:064x}", {"out": nothing, "err": nothing, "written": {}})
    assert all(file.read_text("utf-8") == "mine" for file in theirs)
    assert len(list(tmp_path.iterdir())) == MOST_ENTRIES + len(theirs)


def test_a_report_into_a_pipe_is_written_and_not_read_back(
    auditor: Command, tmp_path: Path
) -> None:
    """A pipe gives what was written to whoever reads it, and to nobody else."""
    folder, pipe = tmp_path / "manifests", tmp_path / "pipe"
    folder.mkdir()
    (folder / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    os.mkfifo(pipe)
    time.sleep(0.05)  # so that the answer may be kept
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    auditor("audit", str(folder), "--format", "json", "-o", str(pipe))
    reader.join(timeout=60)
    assert orjson.loads(got[0])["format"] == "auditor/1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into everything")
def test_a_closed_folder_is_a_gap_and_not_a_fault_of_the_cache(
    auditor: Command, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    said = auditor("audit", closed)
    closed.chmod(0o700)
    assert (said.code, said.err) == (4, "")
