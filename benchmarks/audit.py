"""What an audit costs: CPU seconds of all its processes, wall clock and peak memory.

``python benchmarks/audit.py [NAME…]`` runs the workloads below (all of them without a name), each
cold, without its cache, and again with what the run before it remembered:

many   1,000 typical Deployments with their Services, in 1,000 files
one    the same in one file
pss    the 4,537 one-pod files of the Pod Security test data (AUDITOR_CONFORMANCE), all policies

Behind each figure stands its bar on two cores that are otherwise idle, where there is one. Memory
is that of the largest process; workers, of which there are as many as cores and four at most, take
less each. On a busy machine CPU seconds grow as well: several programs share caches and cores.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

AUDITOR = Path(sys.executable).with_name("auditor")
PACKAGE = Path(__file__).parents[1] / "auditor"
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", "../shared/conformance"))

TYPICAL = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app{n}
  namespace: team{team}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: app{n}}}
  template:
    metadata:
      labels: {{app: app{n}}}
    spec:
      containers:
        - name: app
          image: registry.example/app:{n}
          ports:
            - containerPort: 8080
          env:
            - name: NEXT_URL
              value: http://app{next}:8080
          securityContext:
            privileged: {privileged}
---
apiVersion: v1
kind: Service
metadata:
  name: app{n}
  namespace: team{team}
spec:
  selector: {{app: app{n}}}
  ports:
    - port: 8080
"""


def typical(number: int) -> list[str]:
    """So many applications; every fifth runs privileged, and each calls the next."""
    return [
        TYPICAL.format(n=n, team=n % 20, next=(n + 20) % number, privileged=str(n % 5 == 0).lower())
        for n in range(number)
    ]


def many(folder: Path) -> Path:
    """A thousand files."""
    for number, text in enumerate(typical(1000)):
        (folder / f"app{number}.yaml").write_text(text, "utf-8")
    return folder


def one(folder: Path) -> Path:
    """One file."""
    (folder / "all.yaml").write_text("---\n".join(typical(1000)), "utf-8")
    return folder


def pss(_: Path) -> Path:
    """As it lies there."""
    return DATA / "pss"


WORKLOADS: dict[str, Callable[[Path], Path]] = {"many": many, "one": one, "pss": pss}
POLICIES = Path(__file__).parents[1] / "policies"
EVERY = [
    flag
    for folder in sorted(POLICIES.iterdir())
    if folder.name != "lib"
    for flag in ("--select", folder.name)
]
"""All policies, the contested ones too."""
FLAGS = {"pss": EVERY}
"""Workload → its flags; the profile of everyday for the others."""


@dataclass(frozen=True, slots=True)
class Run:
    """A way to run the command, and what it may cost."""

    label: str
    flags: tuple[str, ...]
    cpu: Mapping[str, float]
    """Workload → seconds of CPU."""
    wall: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, int] = field(default_factory=dict)


RUNS = (
    Run("cold", ("--no-cache",), {"many": 3.0, "pss": 10.0}, {"pss": 6.0}, {"pss": 400}),
    Run("no fixes", ("--no-cache", "--no-fixes"), {}),
    Run("to be remembered", (), {}),
    Run("again", (), {"many": 1.0}),
)


def measure(name: str, path: Path, run: Run, cache: str) -> str:
    """One run in a process of its own. The usage of a process that was waited for includes that of
    the processes that it waited for.
    """
    command = [str(AUDITOR), "audit", str(path), "--format", "json"]
    command += [*FLAGS.get(name, ()), *run.flags]
    environment = {**installed(), "AUDITOR_CACHE_DIR": cache}
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    figures = (
        told(used.ru_utime + used.ru_stime, run.cpu.get(name), "s CPU"),
        told(wall, run.wall.get(name), "s wall"),
        told(used.ru_maxrss / 1024, run.memory.get(name), "MB"),
    )
    return f"{', '.join(figures)}, exit code {process.returncode}"


def installed() -> dict[str, str]:
    """The environment, without what forbids Python to keep what it has compiled."""
    return {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}


def told(figure: float, bar: float | None, unit: str) -> str:
    """A figure beside its bar."""
    wanted = f" (bar {bar:g})" if bar is not None else ""
    return f"{figure:6.2f} {unit}{wanted}"


def main(names: list[str]) -> None:
    """Print one line for each workload and run."""
    compileall.compile_dir(PACKAGE, quiet=1)
    for name in names or WORKLOADS:
        with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as cache:
            path = WORKLOADS[name](Path(scratch))
            for run in RUNS:
                print(f"{name:5} {run.label:16} {measure(name, path, run, cache)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
