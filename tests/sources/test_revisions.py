"""A revision of Git is read as it is stored, and the repository is left alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.sources.revisions import Revision, extract, revision


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, which is the current folder."""
    made = tmp_path / "repo"
    made.mkdir()
    monkeypatch.chdir(made)
    git("init", "-q", "-b", "main")
    return made


def git(*arguments: str, stdin: bytes = b"") -> str:
    """What Git says."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, input=stdin)
    return done.stdout.decode()


def commit(**files: str) -> None:
    """A commit with these files; two underscores for a slash."""
    for name, text in files.items():
        path = Path(name.replace("__", "/") + ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    git("add", "-A")
    git("commit", "-qm", "a commit")


def found(text: str) -> Revision:
    told = revision(text)
    assert told
    return told


def test_files_come_as_they_are_stored(repo: Path, tmp_path: Path) -> None:
    """With their bytes, whatever the attributes and filters of the repository want."""
    marker = tmp_path / "ran"
    git("config", "filter.evil.smudge", f"touch {marker}; cat")
    git("config", "core.fsmonitor", f"touch {marker}; false")
    (repo / ".gitattributes").write_text(
        "*.yaml filter=evil text eol=crlf ident\nhidden.yaml export-ignore\n", "utf-8"
    )
    commit(a="x: $Id$\ny: 1\n", hidden="z: 1\n")
    marker.unlink(missing_ok=True)
    folder = tmp_path / "out"
    folder.mkdir()
    assert extract(found("main"), folder) == ()
    assert (folder / "a.yaml").read_bytes() == b"x: $Id$\ny: 1\n"
    assert (folder / "hidden.yaml").read_bytes() == b"z: 1\n"
    assert not marker.exists()


def test_the_repository_stays_as_it_is(repo: Path, tmp_path: Path) -> None:
    """Every file of it, also those of Git."""
    commit(a="x: 1\n")
    (repo / "a.yaml").write_text("x: 2\n", "utf-8")
    before = {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}
    extract(found("HEAD"), tmp_path)
    after = {path: path.read_bytes() for path in repo.rglob("*") if path.is_file()}
    assert after == before


def test_a_path_is_read_as_git_reads_it(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the root of the repository, and from here where it begins with a dot."""
    commit(k8s__a="x: 1\n")
    monkeypatch.chdir(repo / "k8s")
    assert found("main:k8s").path == "k8s"
    assert found("main:./a.yaml").path == "k8s/a.yaml"
    assert found("main:.").path == "k8s"
    assert found("main:").path == ""


def test_only_the_asked_part_is_read(repo: Path, tmp_path: Path) -> None:
    """A name with the characters of a pattern is a name."""
    commit(k8s__a="x: 1\n", other__b="x: 1\n")
    extract(found("main:k8s"), tmp_path / "out")
    assert not (tmp_path / "out" / "other").exists()
    with pytest.raises(UsageError, match="has no 'k8\\*'"):
        extract(found("main:k8*"), tmp_path / "none")


def test_no_file_is_written_elsewhere(repo: Path, tmp_path: Path) -> None:
    """A tree that was made by hand may name whatever it likes, and a link may lead anywhere."""
    blob = git("hash-object", "-w", "--stdin", stdin=b"x: 1\n").strip()
    link = git("hash-object", "-w", "--stdin", stdin=str(tmp_path).encode()).strip()
    inner = git("mktree", stdin=f"100644 blob {blob}\tevil.yaml\n".encode()).strip()
    upper = git("mktree", stdin=f"040000 tree {inner}\t..\n040000 tree {inner}\t.git\n".encode())
    twice = f"120000 blob {link}\tdir\n040000 tree {inner}\tdir\n040000 tree {upper.strip()}\tsub\n"
    tree = git("mktree", stdin=twice.encode()).strip()
    made = git("commit-tree", "-m", "evil", tree).strip()
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    gaps = extract(found(made), folder)
    assert not [path for path in tmp_path.rglob("evil.yaml") if not path.is_relative_to(folder)]
    assert not (folder / "evil.yaml").exists()
    assert {"sub/../evil.yaml", "sub/.git/evil.yaml"} <= {gap.what for gap in gaps}


def test_no_link_is_written_through_another(repo: Path, tmp_path: Path) -> None:
    """A link that leads to a folder elsewhere gets nothing in it, not even a link."""
    victim = tmp_path / "victim"
    victim.mkdir()
    away = git("hash-object", "-w", "--stdin", stdin=str(victim).encode()).strip()
    up = git("hash-object", "-w", "--stdin", stdin=b"../victim").strip()
    inner = git("mktree", stdin=f"120000 blob {up}\tevil\n".encode()).strip()
    deep = git("mktree", stdin=f"040000 tree {inner}\tdeep\n".encode()).strip()
    twice = f"120000 blob {away}\ta\n040000 tree {inner}\ta\n040000 tree {deep}\ta\n"
    tree = git("mktree", stdin=twice.encode()).strip()
    made = git("commit-tree", "-m", "evil", tree).strip()
    gaps = extract(found(made), tmp_path / "out")
    assert list(victim.iterdir()) == []
    assert {"a/evil", "a/deep/evil"} <= {gap.what for gap in gaps}


def test_a_submodule_is_a_gap(repo: Path, tmp_path: Path) -> None:
    """What is in it is in another repository."""
    commit(a="x: 1\n")
    head = git("rev-parse", "HEAD").strip()
    git("update-index", "--add", "--cacheinfo", f"160000,{head},module")
    git("commit", "-qm", "with a module")
    [gap] = extract(found("HEAD"), tmp_path / "out")
    assert gap.what == "module"
    assert "submodule" in gap.why


def test_a_blob_that_is_not_there_is_a_gap(repo: Path, tmp_path: Path) -> None:
    """As in a clone that leaves them out: nothing is fetched."""
    commit(a="x: 1\n", b="x: 2\n")
    blob = git("rev-parse", "HEAD:a.yaml").strip()
    os.unlink(repo / ".git" / "objects" / blob[:2] / blob[2:])  # noqa: PTH108 one call, no path
    [gap] = extract(found("HEAD"), tmp_path / "out")
    assert gap.what == "a.yaml"
    assert (tmp_path / "out" / "b.yaml").exists()


@pytest.mark.parametrize("text", ["nowhere", "--all", "-n1", "", ":a", "HEAD^{tree}"])
def test_what_is_no_commit_is_none(repo: Path, text: str) -> None:
    """A flag of Git's least of all."""
    commit(a="x: 1\n")
    assert revision(text) is None
