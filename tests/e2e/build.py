"""Builds the real programs that the e2e tests run, from pinned Go modules. Knows nothing of tests.

``python -m tests.e2e.build``             what the test cluster needs on this machine
``python -m tests.e2e.build kubernetes``  etcd and the control plane: one binary, four names
``python -m tests.e2e.build kwok``        kwok and the stages that make nodes and pods come alive
``python -m tests.e2e.build opa``         the OPA that the Rego policies are compared with
``python -m tests.e2e.build pss``         Kubernetes' own library of the Pod Security Standards

Every target is kept in ``.cache/`` under a key of its version and a hash of what goes into it, and
is built only when that folder is missing. A build happens in a folder beside it that is renamed
when complete, under a lock, so that two runs at once build once and no run sees half a build.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .cluster_route import needed

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache"


class BuildError(Exception):
    """A target could not be built. The text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """One program: where its Go module is, what to build there, and under which names it runs.

    ``pinned`` is the module whose version in go.mod names the build; ``takes`` says how long it
    takes from nothing; ``stamp`` is the Go package whose variables tell the program its version;
    ``stages`` are folders of that module whose YAML is copied beside it.
    """

    name: str
    cache: str
    module: Path
    pinned: str
    package: str
    takes: str
    stamp: str = ""
    links: tuple[str, ...] = ()
    stages: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def version(self) -> str:
        """The version that go.mod pins, with its leading v."""
        pattern = rf"^\s*(?:require )?{re.escape(self.pinned)} (v\S+)"
        found = re.search(pattern, (self.module / "go.mod").read_text("utf-8"), re.MULTILINE)
        if found is None:
            raise BuildError(f"{self.module / 'go.mod'} does not require {self.pinned}")
        return found[1]

    @property
    def folder(self) -> Path:
        """Where the finished build is, or will be. It exists only when it is complete."""
        digest = hashlib.sha256(f"{platform.system()}/{platform.machine()}".encode())
        digest.update(repr((self.package, self.links, self.stages)).encode())
        for name in ("go.mod", "go.sum", "main.go"):
            file = self.module / name
            digest.update(file.read_bytes() if file.is_file() else b"")
        return CACHE / self.cache / f"{self.name}-{self.version}-{digest.hexdigest()[:12]}"

    @property
    def binary(self) -> Path:
        """The program itself, inside ``folder``."""
        return self.folder / self.name


KUBERNETES = Target(
    name="kubernetes",
    cache="testcluster",
    module=HERE / "cluster",
    pinned="k8s.io/kubernetes",
    package=".",
    takes="about 5 minutes on 2 cores",
    stamp="k8s.io/component-base/version",
    links=("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"),
)
KWOK = Target(
    name="kwok",
    cache="testcluster",
    module=HERE / "cluster" / "kwok",
    pinned="sigs.k8s.io/kwok",
    package="sigs.k8s.io/kwok/cmd/kwok",
    takes="about 1 minute on 2 cores",
    stages=(("node", ("node/fast", "node/heartbeat-with-lease")), ("pod", ("pod/fast",))),
)
OPA = Target(
    name="opa",
    cache="opa",
    module=HERE / "opa",
    pinned="github.com/open-policy-agent/opa",
    package="github.com/open-policy-agent/opa",
    takes="about 1 minute on 2 cores",
)
PSS = Target(
    name="pss",
    cache="pss",
    module=HERE / "pss",
    pinned="k8s.io/pod-security-admission",
    package=".",
    takes="about half a minute on 2 cores",
)
ACTIONLINT = Target(
    name="actionlint",
    cache="actionlint",
    module=HERE / "actionlint",
    pinned="github.com/rhysd/actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    takes="some seconds",
)
TARGETS = {target.name: target for target in (KUBERNETES, KWOK, OPA, PSS, ACTIONLINT)}


def built(target: Target) -> Path | None:
    """The program, when it has been built here from what the repository says now."""
    return target.binary if target.folder.is_dir() else None


def build(target: Target) -> Path:
    """Build the program unless it is there, and return it. Says beforehand how long it takes.

    Raises BuildError when Go is missing or the build fails; the compiler's own words go to
    standard error as they come.
    """
    if (there := built(target)) is not None:
        return there
    if shutil.which("go") is None:
        raise BuildError(f"{target.name} needs Go to be built, and there is no `go` here")
    target.folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.folder.parent / f".{target.name}.lock"):
        if built(target) is None:
            _build(target)
    return target.binary


def _build(target: Target) -> None:
    """The build itself, by whoever holds the lock."""
    say(f"building {target.name} {target.version} from its Go module: {target.takes}, once")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.folder.parent, prefix=".building-") as scratch:
        work = Path(scratch) / target.name
        work.mkdir()
        _go(target, "build", "-buildvcs=false", *_stamp(target), "-o", f"{work / target.name}")
        for link in target.links:
            (work / link).symlink_to(target.name)
        _copy_stages(target, work)
        work.rename(target.folder)
    say(f"built {target.name} in {time.monotonic() - start:.0f} s")


def _stamp(target: Target) -> tuple[str, str]:
    """Linker flags. A Kubernetes built from its module calls itself v0.0.0 unless it is told."""
    flags = "-s -w"
    if target.stamp:
        major, minor, _ = target.version.removeprefix("v").split(".", 2)
        named = {"gitVersion": target.version, "gitMajor": major, "gitMinor": minor}
        flags += "".join(f" -X {target.stamp}.{name}={value}" for name, value in named.items())
    return "-ldflags", flags


def _go(target: Target, *arguments: str) -> None:
    """Run go in the target's module, on its package, with the checksums of its go.sum."""
    done = subprocess.run(["go", *arguments, target.package], cwd=target.module, check=False)
    if done.returncode != 0:
        raise BuildError(f"{target.name} did not build; the compiler's words are above")


def _copy_stages(target: Target, work: Path) -> None:
    """Put each group of stages into one file, taken from the very module that was built."""
    if not target.stages:
        return
    query = ["go", "list", "-m", "-f", "{{.Dir}}", target.pinned]
    found = subprocess.run(query, cwd=target.module, check=True, capture_output=True, text=True)
    source = Path(found.stdout.strip()) / "kustomize" / "stage"
    for group, folders in target.stages:
        files = [file for folder in folders for file in sorted((source / folder).glob("*.yaml"))]
        texts = [file.read_text("utf-8") for file in files if file.stem != "kustomization"]
        (work / f"{group}.yaml").write_text("\n---\n".join(texts), "utf-8")


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; a second run waits here for the first one's build."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """One line on the screen, at once, also where standard output is a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """Build what is named, or what this machine's test cluster needs. 0, or 1 with a reason."""
    if unknown := [name for name in names if name not in TARGETS]:
        say(f"no such target: {', '.join(unknown)} (there are {', '.join(TARGETS)})")
        return 1
    try:
        for target in (TARGETS[name] for name in names or needed()):
            say(f"{target.name}: {build(target)}")
    except BuildError as error:
        say(str(error))
        # Without a name this is a preparation: tests that lack a cluster skip, except in CI.
        return 1 if names or os.environ.get("CI") == "true" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
