"""What an audit costs: CPU seconds, wall clock and peak memory of the whole command.

``python benchmarks/audit.py [NAME…]`` runs the workloads below (all of them without a name):

many   1,000 typical Deployments with their Services, in 1,000 files
one    the same in one file
pss    the 4,537 one-pod files of the Pod Security test data (AUDITOR_CONFORMANCE)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

AUDITOR = Path(sys.executable).with_name("auditor")
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
FLAGS = {"with fixes": [], "without": ["--no-fixes"]}


def measure(path: Path, flags: list[str]) -> str:
    """One run in a process of its own."""
    command = [str(AUDITOR), "audit", str(path), "--format", "json", *flags]
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    cpu = used.ru_utime + used.ru_stime
    ended = process.returncode
    return f"{cpu:6.2f} s CPU {wall:6.2f} s wall {used.ru_maxrss / 1024:6.0f} MB, exit code {ended}"


def main(names: list[str]) -> None:
    """Print one line for each workload, with and without fixes."""
    for name in names or WORKLOADS:
        with tempfile.TemporaryDirectory() as scratch:
            path = WORKLOADS[name](Path(scratch))
            for label, flags in FLAGS.items():
                print(f"{name:5} {label:10} {measure(path, flags)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
