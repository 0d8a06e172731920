"""The image file, read as a scanner of whoever uses it would: where tests run, none is built."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from auditor.webhook.installation import USER

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8")
INSTALLERS = re.compile(r"\b(apt-get|apk|curl|wget|gcc|pip3? install|git clone)\b")
PINNED = re.compile(r"[\w./-]+:(?!latest\b)[\w.-]+(@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of an image file, its lines joined."""

    word: str
    rest: str


def instructions(text: str) -> list[Instruction]:
    """Without comments, those inside of a continued line too."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    parted = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [Instruction(word.upper(), rest.strip()) for word, _, rest in parted]


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, FROM first; what stands before the first is left out."""
    made: list[list[Instruction]] = []
    for each in instructions(text):
        if each.word == "FROM":
            made.append([])
        if made:
            made[-1].append(each)
    return made


def bases(text: str) -> Iterator[str]:
    """What every stage stands on, with the defaults of arguments filled in."""
    arguments = dict(
        each.rest.split("=", 1)
        for each in instructions(text)
        if each.word == "ARG" and "=" in each.rest
    )
    for stage in stages(text):
        yield _filled(stage[0].rest.split()[0], arguments)


def _filled(name: str, arguments: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: arguments.get(found[1], ""), name)


def copied(text: str) -> list[str]:
    """What is copied from the checkout."""
    copies = [each.rest for each in instructions(text) if each.word in {"COPY", "ADD"}]
    return [
        source
        for rest in copies
        if "--from=" not in rest
        for source in [word for word in rest.split() if not word.startswith("--")][:-1]
    ]


def faults(text: str) -> list[str]:
    """What a scanner would say."""
    final = stages(text)[-1]
    return [
        *(f"base without a tag of its own: {base!r}" for base in bases(text)
          if not PINNED.fullmatch(base)),
        *_faults_of_user([each.rest for each in final if each.word == "USER"]),
        *(f"ADD: {each.rest}" for each in instructions(text) if each.word == "ADD"),
        *(f"built in the last stage: {each.rest}" for each in final
          if each.word == "RUN" and INSTALLERS.search(each.rest)),
        *(f"not there: {source}" for source in copied(text) if not (ROOT / source).exists()),
        *(f"not in the context: {source}" for source in copied(text) if left_out(source, IGNORED)),
        *_faults_of_installs(text),
    ]  # fmt: skip


def _faults_of_user(users: Sequence[str]) -> Iterator[str]:
    if not users:
        yield "runs as root: no USER"
    elif not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        yield f"no number that is not root's: {users[-1]}"


def _faults_of_installs(text: str) -> Iterator[str]:
    """Everything that is fetched is fetched by its hash."""
    for each in instructions(text):
        for step in each.rest.split("&&") if each.word == "RUN" else ():
            words = set(step.split())
            locked = bool({"--require-hashes", "--no-index"} & words)
            if "pip" in step and "install" in words and not locked:
                yield f"installed without hashes: {step.strip()}"


def left_out(path: str, ignored: str) -> bool:
    """Whether a .dockerignore keeps a path out of the context: the last line that fits decides."""
    out = False
    for line in ignored.splitlines():
        pattern = line.strip().removeprefix("!").rstrip("/")
        parts = path.rstrip("/").split("/")
        heads = ("/".join(parts[: count + 1]) for count in range(len(parts)))
        if pattern and not pattern.startswith("#") and any(fnmatch(one, pattern) for one in heads):
            out = not line.strip().startswith("!")
    return out


def test_a_scanner_has_nothing_to_say() -> None:
    assert faults(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("USER 65532:65532", "USER auditor", "no number"),
        ("USER 65532:65532", "USER 0", "no number"),
        ("USER 65532:65532\n", "", "runs as root"),
        ("3.13-slim-bookworm\n\nFROM", "latest\n\nFROM", "base without a tag"),
        (":3.13-slim-bookworm\n\nFROM", "\n\nFROM", "base without a tag"),
        ("COPY auditor/ auditor/", "ADD https://images.example/a.tgz auditor/", "ADD"),
        ("COPY auditor/ auditor/", "COPY gone/ auditor/", "not there"),
        ("COPY auditor/ auditor/", "COPY tests/ tests/", "not in the context"),
        ("pip --python /opt/auditor install --require-hashes", "pip --python /opt/auditor install",
         "installed without hashes"),
        ("&& rm -rf", "&& apt-get install gcc && rm -rf", "built in the last stage"),
    ],
)  # fmt: skip
def test_it_would_say_what_is_wrong(old: str, new: str, said: str) -> None:
    assert old in TEXT
    assert any(each.startswith(said) for each in faults(TEXT.replace(old, new, 1)))


def test_it_runs_as_the_user_of_the_installed_webhook() -> None:
    """As whom the Deployment runs it, and as nobody else: files would have another owner."""
    assert stages(TEXT)[-1][0].word == "FROM"
    assert Instruction("USER", f"{USER}:{USER}") in stages(TEXT)[-1]


def test_its_arguments_are_those_of_the_command() -> None:
    """The chart and `webhook install` give `args`, and leave the entry point to the image."""
    last = {each.word: each.rest for each in stages(TEXT)[-1]}
    assert json.loads(last["ENTRYPOINT"]) == ["auditor"]
    assert {"LABEL", "WORKDIR"} <= set(last)


def test_it_writes_where_the_webhook_has_room() -> None:
    """The root filesystem is read-only there; what is written goes to the volume at /tmp."""
    [variables] = [each.rest for each in stages(TEXT)[-1] if each.word == "ENV"]
    told = dict(word.split("=", 1) for word in variables.split())
    deployment = (ROOT / "deploy" / "chart" / "templates" / "deployment.yaml").read_text("utf-8")
    [mount] = re.findall(r"name: scratch\n +mountPath: (\S+)", deployment)
    assert all(Path(told[name]).is_relative_to(mount) for name in ("HOME", "AUDITOR_CACHE_DIR"))
    assert f"--read-only --tmpfs {mount} " in TEXT


def test_its_python_is_one_that_the_product_takes() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (lowest,) = re.findall(r'^requires-python = ">=3\.(\d+)"', project, re.MULTILINE)
    assert all(int(re.findall(r"python:3\.(\d+)-", base)[0]) >= int(lowest) for base in bases(TEXT))


@pytest.mark.parametrize("name", ["runtime.txt", "build.txt"])
def test_what_it_installs_is_locked(name: str) -> None:
    """One version of each, the one that the tests run with, and no line without a hash."""
    assert f"requirements/{name}" in copied(TEXT)
    known = _locked("dev.txt")
    locked = _locked(name)
    assert locked
    assert all("--hash=sha256:" in entry for entry in locked)
    assert set(locked) <= set(known)


def _locked(name: str) -> list[str]:
    """The requirements of a file: a version and its hashes each."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [
        entry.strip() for entry in re.split(r"\n(?=\S)", "\n".join(lines).strip()) if entry.strip()
    ]


def test_nothing_private_is_in_its_context() -> None:
    for path in (".git/config", ".venv/bin/python", ".cache/testcluster/admin.kubeconfig", "tests",
                 "auditor/__pycache__", ".env", "deploy/chart/values.yaml"):  # fmt: skip
        assert left_out(path, IGNORED), path


def test_what_it_copies_is_enough_to_build_the_wheel(tmp_path: Path) -> None:
    """With the command of its build stage."""
    for source in copied(TEXT):
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, tmp_path / source)
        else:
            (tmp_path / source).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / source, tmp_path / source)
    assert "-m hatchling build --target wheel --directory dist" in TEXT
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "dist"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "dist").glob("auditor-*.whl"))) == 1
