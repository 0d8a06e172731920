"""A control plane of our own on the loopback interface: etcd, Kubernetes, kwok. Linux and macOS.

The programs are those of ``tests.e2e.build``. There is no kubelet and no container: the API
server, its admission, the controllers and the scheduler are the real ones, and kwok reports for
the nodes and pods what a kubelet would, by the stages of its own module. There is no kube-proxy
either, so a webhook is registered by URL (https://127.0.0.1:PORT), never by Service.
"""

import secrets
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
import yaml

from .build import CACHE, KUBERNETES, KWOK, built
from .cluster_errors import ClusterError, NoClusterError
from .cluster_processes import Running, free_ports, launch, wait_until

READY_WITHIN = 60.0
LOGS = CACHE / "testcluster" / "logs"
BUSY = "address already in use"
SERVER = "kube-apiserver"


@dataclass(frozen=True, slots=True)
class Options:
    """What a test may want otherwise: more flags (``--name=value``), or other lives for pods.

    ``pod_stages`` is the YAML of kwok Stages that replaces kwok's own ``pod/fast``, for slow
    starts, failing probes and crash loops.
    """

    api_server: tuple[str, ...] = ()
    controller_manager: tuple[str, ...] = ()
    scheduler: tuple[str, ...] = ()
    pod_stages: str | None = None


@dataclass(slots=True)
class ControlPlane:
    """The started processes, their folder and their logs. ``stop`` ends and removes them."""

    folder: Path
    logs: Path
    options: Options
    ports: tuple[int, int, int]  # of etcd for clients, of etcd for peers, of the API server
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    processes: list[Running] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        """Credentials of an administrator (group system:masters)."""
        return self.folder / "admin.kubeconfig"

    @property
    def address(self) -> str:
        """The URL of the API server."""
        return f"https://127.0.0.1:{self.ports[2]}"

    def launch(self, name: str, command: Sequence[str | Path]) -> None:
        """Start one more process of this control plane."""
        self.processes.append(launch(name, command, self.folder, self.logs))

    def run(self) -> None:
        """Start everything, and wait until the API server says that it is ready."""
        _serve(self)
        _populate(self)

    def restart(self) -> None:
        """Start anew with nothing stored, on the same address and with the same credentials."""
        self._end()
        shutil.rmtree(self.folder / "etcd")
        self.run()

    def reboot(self) -> None:
        """End everything and start it cold, over what is stored: a power cut."""
        self._end()
        self.run()

    def restart_api_server(self) -> None:
        """End the API server alone and start it again; the others wait for it."""
        [old] = (each for each in self.processes if each.name == "kube-apiserver")
        old.end()
        self.processes.remove(old)
        _serve_api(self)

    def _end(self) -> None:
        """End every process, last started first."""
        while self.processes:
            self.processes.pop().end()

    def stop(self, *, keep_logs: bool) -> None:
        """End every process and remove what they wrote. May be called again."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)
        if not keep_logs:
            shutil.rmtree(self.logs, ignore_errors=True)


def start(options: Options) -> ControlPlane:
    """Start a control plane and wait until it serves; about three seconds on two cores.

    Raises NoClusterError when the programs have not been built, ClusterError (with the folder of
    the logs, which is then kept) when one of them does not come up.
    """
    if built(KUBERNETES) is None or built(KWOK) is None:
        raise NoClusterError("no test cluster here: build one with `python -m tests.e2e.build`")
    try:
        return _start_once(options)
    except ClusterError as failed:
        # Between choosing a free port and listening on it, another program may take it.
        if BUSY not in str(failed):
            raise
        return _start_once(options)


def _start_once(options: Options) -> ControlPlane:
    folder = Path(tempfile.mkdtemp(prefix="auditor-cluster-"))
    plane = ControlPlane(folder, LOGS / folder.name, options, free_ports())
    try:
        plane.logs.mkdir(parents=True)
        _write_credentials(plane)
        plane.run()
    except ClusterError as failed:
        plane.stop(keep_logs=True)
        words = f"the test cluster did not start; its logs: {plane.logs}\n{failed}"
        raise ClusterError(words) from failed
    except BaseException:
        plane.stop(keep_logs=False)
        raise
    return plane


def _serve(plane: ControlPlane) -> None:
    """Start etcd and the API server, and wait until the latter says that it is ready."""
    plane.launch("etcd", [KUBERNETES.folder / "etcd", *_etcd_flags(plane)])
    _serve_api(plane)


def _serve_api(plane: ControlPlane) -> None:
    """Start the API server, and wait until it says that it is ready."""
    flags = [*_api_server_flags(plane), *plane.options.api_server]
    plane.launch(SERVER, [KUBERNETES.folder / SERVER, *flags])
    wait_until("the API server is ready", lambda: _unready(plane), READY_WITHIN, plane.processes)


def _populate(plane: ControlPlane) -> None:
    """Start everybody who talks to the API server."""
    options, admin = plane.options, f"--kubeconfig={plane.kubeconfig}"
    name = "kube-controller-manager"
    flags = [admin, *_controller_manager_flags(plane), *options.controller_manager]
    plane.launch(name, [KUBERNETES.folder / name, *flags])
    name = "kube-scheduler"
    flags = [admin, "--leader-elect=false", "--secure-port=0", *options.scheduler]
    plane.launch(name, [KUBERNETES.folder / name, *flags])
    plane.launch("kwok", kwok_command(plane.kubeconfig, plane.folder, options.pod_stages))


LEASE, PATIENCE = 40, 300
"""Seconds: what a kubelet promises to say that it lives; after how many of silence the controllers
believe that a node is lost. A busy machine may be late.
"""


def kwok_command(
    kubeconfig: Path, folder: Path, pod_stages: str | None, nodes: str = "--manage-all-nodes=true"
) -> list[str | Path]:
    """How to run kwok for the nodes that ``nodes`` selects; writes its stages into ``folder``."""
    binary = built(KWOK)
    if binary is None:
        raise NoClusterError("no kwok here: build it with `python -m tests.e2e.build kwok`")
    pods = pod_stages or (binary.parent / "pod.yaml").read_text("utf-8")
    stages = folder / "stages.yaml"
    stages.write_text((binary.parent / "node.yaml").read_text("utf-8") + "\n---\n" + pods, "utf-8")
    where = [f"--kubeconfig={kubeconfig}", f"--config={stages}", "--cidr=10.244.0.0/16"]
    return [binary, *where, f"--node-lease-duration-seconds={LEASE}", nodes]


def _etcd_flags(plane: ControlPlane) -> list[str]:
    ours, theirs = (f"http://127.0.0.1:{port}" for port in plane.ports[:2])
    return [
        f"--data-dir={plane.folder / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={ours}",
        f"--advertise-client-urls={ours}",
        f"--listen-peer-urls={theirs}",
        f"--initial-advertise-peer-urls={theirs}",
        f"--initial-cluster=default={theirs}",
    ]


def _api_server_flags(plane: ControlPlane) -> list[str]:
    pki = plane.folder
    return [
        f"--etcd-servers=http://127.0.0.1:{plane.ports[0]}",
        "--bind-address=127.0.0.1",
        # Nobody connects to it: it only spares the server a search for an interface of this host.
        "--advertise-address=192.0.2.1",
        f"--secure-port={plane.ports[2]}",
        f"--tls-cert-file={pki / 'server.crt'}",
        f"--tls-private-key-file={pki / 'server.key'}",
        f"--token-auth-file={pki / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--service-account-key-file={pki / 'accounts.key'}",
        f"--service-account-signing-key-file={pki / 'accounts.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
    ]


def _controller_manager_flags(plane: ControlPlane) -> list[str]:
    return [
        "--use-service-account-credentials",
        "--leader-elect=false",
        "--secure-port=0",
        f"--node-monitor-grace-period={PATIENCE}s",
        f"--service-account-private-key-file={plane.folder / 'accounts.key'}",
        f"--root-ca-file={plane.folder / 'ca.crt'}",
    ]


def _write_credentials(plane: ControlPlane) -> None:
    """A certificate authority, the server's certificate, the key of tokens, an administrator."""
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost", "kubernetes.default.svc")
    accounts = authority.issue_cert("accounts.invalid")
    authority.cert_pem.write_to_path(str(plane.folder / "ca.crt"))
    for blob in server.cert_chain_pems:
        blob.write_to_path(str(plane.folder / "server.crt"), append=True)
    server.private_key_pem.write_to_path(str(plane.folder / "server.key"))
    accounts.private_key_pem.write_to_path(str(plane.folder / "accounts.key"))
    tokens = f'{plane.token},admin,admin,"system:masters"\n'
    (plane.folder / "tokens.csv").write_text(tokens, "utf-8")
    authority_data = b64encode((plane.folder / "ca.crt").read_bytes()).decode()
    cluster = {"server": plane.address, "certificate-authority-data": authority_data}
    write_kubeconfig(plane.kubeconfig, cluster, "admin", plane.token)


def write_kubeconfig(path: Path, cluster: Mapping[str, Any], user: str, token: str) -> None:
    """A kubeconfig with one cluster, one user who shows ``token``, and the context of both."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": dict(cluster)}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        "current-context": "test",
    }
    path.write_text(yaml.safe_dump(config, sort_keys=False), "utf-8")
    path.chmod(0o600)


def _unready(plane: ControlPlane) -> str:
    """Why the API server is not ready, in its own words; "" when it is."""
    trust = ssl.create_default_context(cafile=str(plane.folder / "ca.crt"))
    request = urllib.request.Request(  # noqa: S310 (the URL is ours)
        f"{plane.address}/readyz?verbose",
        headers={"Authorization": f"Bearer {plane.token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5, context=trust):  # noqa: S310
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.read().decode(errors="replace")
    except OSError as error:
        return str(error)
