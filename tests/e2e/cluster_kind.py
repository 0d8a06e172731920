"""A cluster from kind, for machines with a container engine.

This route needs a container engine; it is exercised by the GitHub workflow, not by ``.ci/run``.

kind brings one real node, which is cordoned: workloads of tests go to Node objects that kwok
(``python -m tests.e2e.build kwok``) keeps alive beside it, as on the built route. A rule that
counts nodes by ``kubernetes.io/hostname`` still sees the cordoned node.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cluster_errors import ClusterError
from .cluster_kubectl import Kubectl
from .cluster_local import kwok_command
from .cluster_processes import Running, launch
from .cluster_route import engine

CONFIGURATION = Path(__file__).with_name("kind.yaml")
IMAGE = "AUDITOR_E2E_KIND_IMAGE"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
FAKE_NODES = f"--manage-nodes-with-label-selector=!{CONTROL_PLANE}"


@dataclass(frozen=True, slots=True)
class KindCluster:
    """A running kind cluster with kwok beside it."""

    name: str
    folder: Path
    processes: list[Running] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        """Credentials of the administrator that kind made."""
        return self.folder / "admin.kubeconfig"

    @property
    def logs(self) -> Path:
        """Where kwok logs; ``stop`` has kind add those of the node when they are to be kept."""
        return self.folder / "logs"

    def stop(self, *, keep_logs: bool) -> None:
        """Delete the cluster."""
        for running in self.processes:
            running.end()
        if keep_logs:
            _kind("export", "logs", str(self.logs), "--name", self.name)
        _kind("delete", "cluster", "--name", self.name)
        if not keep_logs:
            shutil.rmtree(self.folder, ignore_errors=True)


def start() -> KindCluster:
    """Create a cluster; a minute, and longer when the node image has to be fetched.

    ``AUDITOR_E2E_KIND_IMAGE`` names the node image, and with it the version of Kubernetes;
    without it kind takes its own default.
    """
    folder = Path(tempfile.mkdtemp(prefix="auditor-kind-"))
    (folder / "logs").mkdir()
    name = f"auditor-e2e-{os.getpid()}"
    kubeconfig = folder / "admin.kubeconfig"
    command = kwok_command(kubeconfig, folder, None, FAKE_NODES)
    image = [f"--image={os.environ[IMAGE]}"] if os.environ.get(IMAGE) else []
    where = ["--name", name, "--kubeconfig", str(kubeconfig)]
    cluster = KindCluster(name, folder)
    try:
        _kind("create", "cluster", *where, "--config", str(CONFIGURATION), "--wait", "180s", *image)
        Kubectl(kubeconfig, folder)("cordon", "-l", CONTROL_PLANE)
        cluster.processes.append(launch("kwok", command, folder, cluster.logs))
    except BaseException:
        cluster.stop(keep_logs=True)
        raise
    return cluster


def _kind(*arguments: str) -> None:
    """Run kind; raises ClusterError with its words."""
    environment = dict(os.environ)
    if engine() == "podman":
        environment["KIND_EXPERIMENTAL_PROVIDER"] = "podman"
    done = subprocess.run(
        ["kind", *arguments], check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode != 0:
        raise ClusterError(f"kind {' '.join(arguments)}: {done.stderr.strip()}")


def gateway() -> str | None:
    """The IPv4 address under which a kind node reaches this machine, for webhooks by URL."""
    done = subprocess.run(
        [engine() or "docker", "network", "inspect", "kind"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return None
    return next((address for address in _gateways(json.loads(done.stdout)) if "." in address), None)


def _gateways(networks: list[dict[str, Any]]) -> Iterator[str]:
    """Docker writes IPAM.Config[].Gateway, Podman subnets[].gateway."""
    for network in networks:
        for subnet in (network.get("IPAM") or {}).get("Config") or ():
            yield subnet.get("Gateway", "")
        for subnet in network.get("subnets") or ():
            yield subnet.get("gateway", "")
