"""Decides where the test cluster comes from on this machine. Starts nothing.

1. ``AUDITOR_E2E_KUBECONFIG`` names a cluster that the caller lends.
2. kind, where it is installed and a Docker or Podman engine answers.
3. Otherwise the control plane of our own (``tests.e2e.build``).
"""

import os
import shutil
import subprocess
from enum import Enum
from functools import cache
from pathlib import Path

LENT = "AUDITOR_E2E_KUBECONFIG"


class Route(Enum):
    """Where the cluster comes from."""

    LENT = "lent"
    KIND = "kind"
    BUILT = "built"


def lent() -> Path | None:
    """The kubeconfig of the cluster that the caller lends."""
    name = os.environ.get(LENT)
    return Path(name).expanduser().resolve() if name else None


@cache
def engine() -> str | None:
    """The container engine that answers: "docker", "podman" or none."""
    for name in ("docker", "podman"):
        if shutil.which(name) and _answers([name, "info"]):
            return name
    return None


def _answers(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=20)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def route() -> Route:
    """The first route that this machine has; ``BUILT`` also where nothing has been built yet."""
    if lent():
        return Route.LENT
    return Route.KIND if shutil.which("kind") and engine() else Route.BUILT


def needed() -> tuple[str, ...]:
    """The targets of ``tests.e2e.build`` that the route of this machine runs."""
    targets = {Route.LENT: (), Route.KIND: ("kwok",), Route.BUILT: ("kubernetes", "kwok")}
    return targets[route()]
