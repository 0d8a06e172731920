"""The test cluster: a real Kubernetes API server, controllers and scheduler for one test module.

Fixtures (``conftest.py``)::

    cluster        a TestCluster for one module; clean when the module starts
    fresh_cluster  the same for one test
    start_cluster  start_cluster(Options(api_server=("--…",), pod_stages="…")) -> TestCluster, for
                   tests that need other flags or other lives for pods (built route only)
    opa            the path of the real OPA

What a test does with it::

    cluster.apply(FIXTURES / "clusters" / "shop", {"apiVersion": "v1", "kind": "Namespace", …})
    cluster.wait_until_bound("shop")            # every pod has a node and runs
    cluster.get("Pod", "shop", "web-0")["spec"]["nodeName"]
    cluster.objects("pods", "shop")             # a list of manifests
    cluster.kubectl("drain", "n1", "--ignore-daemonsets", check=True)
    reader = cluster.kubeconfig_for("reader", cluster.reading_all_but("secrets"))
    cluster.wait_until("the webhook is called", lambda: "" if calls else "no call yet")
    cluster.reset()                             # when two tests of a module must not meet

Where the cluster comes from: ``cluster_route.py``. On every route nodes are Node objects that
kwok keeps alive, so nothing runs inside a container, and ``exec``, ``logs`` and ``port-forward``
get as far as admission. A webhook is registered by URL; the API server reaches this machine
under ``cluster.callback_host`` ("127.0.0.1" on the built route, None where we cannot know).

A lent cluster gives fewer liberties: only namespaces that the test itself applies are written to,
and Node objects only with ``AUDITOR_E2E_NODES=1`` (it should run kwok). What was applied is
deleted at the end; what a test makes in other ways there (``kubectl create``) is its own to delete.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from . import cluster_kind, cluster_local
from .cluster_errors import ClusterError, NoClusterError, RefusedError
from .cluster_kubectl import Kubectl, Manifest, documents, read
from .cluster_local import Options, write_kubeconfig
from .cluster_processes import Running, wait_until
from .cluster_route import LENT, Route, lent, route
from .cluster_settled import WATCHED, unsettled
from .cluster_sweep import Key, admissible, census, keys, sweep

__all__ = [
    "ClusterError",
    "NoClusterError",
    "Options",
    "RefusedError",
    "Route",
    "TestCluster",
    "start",
]

APPLY = ("apply", "--server-side", "--force-conflicts", "--field-manager=auditor-e2e", "-f", "-")
CALLBACK_HOST = "AUDITOR_E2E_CALLBACK_HOST"
What = Path | str | Mapping[str, Any]


class Backing(Protocol):
    """Whatever stands behind the kubeconfig: processes of ours, a kind cluster, a lent cluster."""

    @property
    def kubeconfig(self) -> Path:
        """Credentials of an administrator."""

    @property
    def logs(self) -> Path | None:
        """Where it logs, if that is known."""

    @property
    def processes(self) -> list[Running]:
        """What runs for it on this machine."""

    def stop(self, *, keep_logs: bool) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class LentCluster:
    """Somebody else's cluster: there is nothing to end."""

    kubeconfig: Path
    logs: Path | None = None
    processes: list[Running] = field(default_factory=list)

    def stop(self, *, keep_logs: bool) -> None:
        """Leave it running."""


@dataclass(slots=True)
class TestCluster:
    """A running cluster, as a test sees it. ``start`` makes one, ``stop`` ends it."""

    __test__: ClassVar[bool] = False  # its name must not make pytest collect it

    route: Route
    backing: Backing
    scratch: Path
    callback_host: str | None
    keep_logs: bool = False
    _applied: list[Key] = field(default_factory=list)
    _before: frozenset[Key] = frozenset()

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig file with an administrator's credentials."""
        return self.backing.kubeconfig

    @property
    def logs(self) -> Path | None:
        """The folder of its logs. ``stop`` removes it, unless ``keep_logs`` was set."""
        return self.backing.logs

    @property
    def processes(self) -> Sequence[Running]:
        """The processes on this machine that make it up."""
        return tuple(self.backing.processes)

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 (named as subprocess.run names it)
        check: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """Run kubectl as administrator, with ``input`` as its standard input.

        With ``check``, raises RefusedError with its words when it fails.
        """
        return self._kubectl(*arguments, text=input, check=check)

    @property
    def _kubectl(self) -> Kubectl:
        return Kubectl(self.kubeconfig, self.scratch)

    def apply(self, *what: What) -> None:
        """Apply files, folders (all YAML and JSON below), YAML text or mappings, server-side.

        Namespaces and CRDs go first, and are waited for until they can be used. The ``status`` of
        nodes is written as given: it is where their capacity stands. Raises RefusedError with the
        server's words, and NoClusterError for what a lent cluster must not be given.
        """
        texts = [text for each in what for text in read(each)]
        manifests = [each for text in texts for each in documents(text)]
        self._remember(manifests)
        self._lay_foundations(manifests)
        self._kubectl(*APPLY, text="\n---\n".join(texts))
        if nodes := [each for each in manifests if each["kind"] == "Node" and each.get("status")]:
            self._kubectl(*APPLY, "--subresource=status", text=_list(nodes))

    def _remember(self, manifests: Sequence[Manifest]) -> None:
        """Where objects are taken away one by one, note which are ours."""
        if self.route is Route.BUILT:
            return
        wanted = keys(self._kubectl, manifests)
        if self.route is Route.LENT:
            nodes = os.environ.get("AUDITOR_E2E_NODES") == "1"
            admissible(self._kubectl, wanted, self._applied, nodes=nodes)
        self._applied += [each for each in wanted if each not in self._applied]

    def _lay_foundations(self, manifests: Sequence[Manifest]) -> None:
        """Namespaces and CRDs, until a pod finds its ServiceAccount and a kind its endpoint."""
        namespaces = [each for each in manifests if each["kind"] == "Namespace"]
        definitions = [each for each in manifests if each["kind"] == "CustomResourceDefinition"]
        if not namespaces and not definitions:
            return
        self._kubectl(*APPLY, text=_list([*namespaces, *definitions]))
        for each in namespaces:
            self._wait_for_account(each["metadata"]["name"])
        for each in definitions:
            crd = f"crd/{each['metadata']['name']}"
            self._kubectl("wait", "--for=condition=Established", crd, "--timeout=30s")

    def _wait_for_account(self, namespace: str) -> None:
        def why_not() -> str:
            return self.kubectl("get", "serviceaccount", "default", "-n", namespace).stderr.strip()

        self.wait_until(f"namespace {namespace} has its ServiceAccount", why_not, 30)

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest:
        """One object. Raises RefusedError with the server's words when it is not there."""
        place = ("-n", namespace) if namespace else ()
        return self._kubectl.json("get", kind, name, *place)

    def objects(self, kinds: str, namespace: str | None = None) -> list[Manifest]:
        """All objects of one kind, or of several with commas between, in one or all namespaces."""
        return self._kubectl.items("get", kinds, *(("-n", namespace) if namespace else ("-A",)))

    def wait_until(self, what: str, why_not: Callable[[], str], timeout: float = 60) -> None:
        """Ask ``why_not`` again and again until it answers "".

        Raises ClusterError with its last answer after ``timeout`` seconds, or when a process of
        the cluster has ended.
        """
        wait_until(what, why_not, timeout, self.processes)

    def wait_until_bound(self, namespace: str | None = None, timeout: float = 60) -> None:
        """Wait until every workload has made its pods, and each has a node and runs (or is done).

        Raises ClusterError after ``timeout`` seconds with one line for each that is not.
        """

        def why_not() -> str:
            return "\n".join(unsettled(self.objects(",".join(WATCHED), namespace)))

        self.wait_until("every pod is bound", why_not, timeout)

    def wait_until_nodes_ready(self, timeout: float = 60) -> None:
        """Wait until every node is Ready. Raises ClusterError after ``timeout`` seconds."""

        def why_not() -> str:
            return "\n".join(unsettled(self.objects("nodes")))

        self.wait_until("every node is Ready", why_not, timeout)

    def reading_all_but(self, *resources: str) -> list[Manifest]:
        """RBAC rules to get, list and watch everything that can be listed, save ``resources``.

        They are named as ``kubectl api-resources -o name`` does: "secrets", "deployments.apps".
        Raises ValueError for one that this cluster does not have.
        """
        names = self._kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
        if unknown := sorted(set(resources) - set(names)):
            raise ValueError(f"this cluster has no {', '.join(unknown)}")
        groups: dict[str, list[str]] = {}
        for plural, _, group in (name.partition(".") for name in names if name not in resources):
            groups.setdefault(group, []).append(plural)
        verbs = ["get", "list", "watch"]
        return [
            {"apiGroups": [group], "resources": plurals, "verbs": verbs}
            for group, plurals in groups.items()
        ]

    def kubeconfig_for(self, user: str, rules: Sequence[Mapping[str, Any]] = ()) -> Path:
        """A kubeconfig of a user who may do what ``rules`` (of a ClusterRole) say, and no more.

        It is a ServiceAccount of that name, with a token for two hours; waits until the API server
        has heard of the rules. Whatever they say, it may do what every authenticated user may:
        read the version and the list of APIs, and ask what it is allowed to do.
        """
        namespace = "auditor-e2e-users" if self.route is Route.LENT else "kube-system"
        self.apply(*_account(user, namespace, rules))
        token = self._kubectl("create", "token", user, "-n", namespace, "--duration=2h").stdout
        view = self._kubectl.json("config", "view", "--raw", "--minify", "--flatten")
        path = self.scratch / f"{user}.kubeconfig"
        write_kubeconfig(path, view["clusters"][0]["cluster"], user, token.strip())
        self.wait_until(f"the rules of {user} are known", lambda: self._unknown(path, rules), 30)
        return path

    def _unknown(self, kubeconfig: Path, rules: Sequence[Mapping[str, Any]]) -> str:
        """Why the user of ``kubeconfig`` cannot do the last thing of ``rules``, if it has one."""
        whole = [rule for rule in rules if rule.get("resources") and not rule.get("resourceNames")]
        if not whole:
            return ""
        group, plural = whole[-1]["apiGroups"][-1], whole[-1]["resources"][-1]
        question = (whole[-1]["verbs"][-1], f"{plural}.{group}" if group else plural, "-A")
        ask = Kubectl(kubeconfig, self.scratch)("auth", "can-i", *question, check=False)
        return "" if ask.returncode == 0 else ask.stdout.strip() or ask.stderr.strip()

    def reset(self) -> None:
        """Take away all that the tests made, so that the next one starts clean.

        The built route starts anew with an empty store, on the same address and with the same
        credentials (three seconds; open watches end). The others delete object by object.
        """
        if isinstance(self.backing, cluster_local.ControlPlane):
            self.backing.restart()
            self._wait_for_account("default")
            return
        made = census(self._kubectl) - self._before if self.route is Route.KIND else frozenset()
        sweep(self._kubectl, {*self._applied, *made})
        self._applied.clear()

    def stop(self) -> None:
        """End every process of ours, or take our objects from a lent cluster. May be repeated."""
        try:
            if self.route is Route.LENT:
                self.reset()
        finally:
            self.backing.stop(keep_logs=self.keep_logs)
            shutil.rmtree(self.scratch, ignore_errors=True)


def _list(manifests: Sequence[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


def _account(user: str, namespace: str, rules: Sequence[Mapping[str, Any]]) -> list[Manifest]:
    """A ServiceAccount with a ClusterRole of its own, and its namespace where it needs one."""
    role, rbac = f"auditor-e2e:{user}", "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": user, "namespace": namespace}
    objects: list[tuple[str, str, Manifest]] = [
        ("v1", "Namespace", {"metadata": {"name": namespace}}),
        ("v1", "ServiceAccount", {"metadata": {"name": user, "namespace": namespace}}),
        (f"{rbac}/v1", "ClusterRole", {"metadata": {"name": role}, "rules": list(rules)}),
        (
            f"{rbac}/v1",
            "ClusterRoleBinding",
            {
                "metadata": {"name": role},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
                "subjects": [subject],
            },
        ),
    ]
    made = [{"apiVersion": version, "kind": kind, **rest} for version, kind, rest in objects]
    return made[1:] if namespace.startswith("kube-") else made


def start(options: Options | None = None) -> TestCluster:
    """Start (or borrow) a cluster and wait until it can be given objects.

    With ``options``, only the built route will do. Raises NoClusterError where this machine has
    none, ClusterError where it should have one that does not come up.
    """
    chosen = route()
    if options is not None and chosen is not Route.BUILT:
        raise NoClusterError(
            "this test sets flags of the control plane, which only the built route has"
        )
    cluster = _STARTS[chosen](options or Options())
    try:
        cluster._wait_for_account("default")
    except BaseException:
        cluster.keep_logs = True
        cluster.stop()
        raise
    return cluster


def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="auditor-e2e-"))


def _start_built(options: Options) -> TestCluster:
    return TestCluster(Route.BUILT, cluster_local.start(options), _scratch(), "127.0.0.1")


def _start_kind(_: Options) -> TestCluster:
    cluster = TestCluster(Route.KIND, cluster_kind.start(), _scratch(), cluster_kind.gateway())
    cluster._before = census(cluster._kubectl)
    return cluster


def _borrow(_: Options) -> TestCluster:
    kubeconfig = lent()
    if kubeconfig is None or not kubeconfig.is_file():
        raise NoClusterError(f"{LENT} names no file: {kubeconfig}")
    backing = LentCluster(kubeconfig)
    return TestCluster(Route.LENT, backing, _scratch(), os.environ.get(CALLBACK_HOST))


_STARTS = {Route.BUILT: _start_built, Route.KIND: _start_kind, Route.LENT: _borrow}
