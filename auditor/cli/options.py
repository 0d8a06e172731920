"""Options that several verbs share, and what they add up to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from auditor.cli.gathered import gathered
from auditor.grades import Severity
from auditor.terms import KUBERNETES, PROFILE, PROFILES, TOOLS
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.audit import Bench
    from auditor.cli.config import Declared
    from auditor.declared import Admission, Flows
    from auditor.model import Policy, Settings, Snapshot
    from auditor.sources.building import Building
    from auditor.sources.variants import Variant
    from auditor.terms import Scope

SEVERITIES = tuple(severity.value for severity in Severity)
NEWEST = 37
"""The newest Kubernetes minor version that the policies know."""

F = TypeVar("F", bound=Callable[..., Any])


class KubernetesVersion(click.ParamType[int]):
    """1.N, read into 100 + N."""

    name = "1.N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error that names the flag."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"v?1\.(\d{1,2})(?:\.\d+)?", str(value))
        if not match or int(match[1]) > NEWEST:
            self.fail(f"'{value}' is no version from 1.0 to 1.{NEWEST}", param, ctx)
        return 100 + int(match[1])


_POLICY_OPTIONS = (
    click.option(
        "--profile",
        type=click.Choice(PROFILES),
        default=PROFILE,
        show_default=True,
        help="How many policies to ask.",
    ),
    click.option(
        "--select", multiple=True, metavar="POLICY", help="Ask only this policy or folder."
    ),
    click.option(
        "--framework", multiple=True, metavar="ID", help="Ask the policies of this framework."
    ),
    click.option(
        "--kubernetes-version",
        type=KubernetesVersion(),
        help=f"Judge for this version [default: the server's; for files 1.{KUBERNETES % 100}].",
    ),
    click.option(
        "--engine",
        type=click.Choice(["regorus", "regopy", "both"]),
        default="regorus",
        show_default=True,
        help="What evaluates Rego; 'both' demands that they agree.",
    ),
    click.option(
        "--policies",
        "policies_folders",
        multiple=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Ask the policies of this folder as well.",
    ),
    click.option(
        "--no-builtin-policies",
        is_flag=True,
        help="Leave out our own policies: only those of --policies are asked.",
    ),
    click.option("--preview", is_flag=True, help="Ask policies that are previews as well."),
    click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration file [default: the nearest .auditor.yaml].",
    ),
    click.option("--rack-label", metavar="KEY", help="The node label that names the rack."),
    click.option(
        "--cni",
        multiple=True,
        metavar="PROFILE",
        help="What enforces network policies [default: what is found in the cluster; for files"
        " the specification].",
    ),
    click.option(
        "--flows",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Flows that were observed: Hubble's JSON, metrics of Istio or OpenTelemetry, CSV.",
    ),
)


@dataclass(frozen=True, slots=True)
class PolicyOptions:
    """What the flags of `choice_of_policies` say, under their names."""

    profile: str
    select: tuple[str, ...]
    framework: tuple[str, ...]
    kubernetes_version: int | None
    engine: str
    config: Path | None
    rack_label: str | None
    policies_folders: tuple[Path, ...] = ()
    no_builtin_policies: bool = False
    preview: bool = False
    flows: tuple[Path, ...] = ()
    honour_waivers_of: tuple[str, ...] = ()
    """With --config-from, of `audit`, `fix` and `diff`: no webhook believes what it is sent."""
    config_from: str | None = None
    cni: tuple[str, ...] = ()


choice_of_policies = gathered("policies", PolicyOptions, *_POLICY_OPTIONS)
"""The flags that choose policies and what they are judged for."""


def waivers_of_manifests(command: F) -> F:
    """--honour-waivers-of and --config-from, which reach the command in `policies` too."""
    for option in (
        click.option(
            "--config-from",
            metavar="REV",
            help="Take configuration, baseline and waivers from this git revision.",
        ),
        click.option(
            "--honour-waivers-of",
            multiple=True,
            type=click.Choice(TOOLS),
            help="Let waivers of this tool count where inlineWaivers allows them.",
        ),
    ):
        command = option(command)
    return command


_BUILD_OPTIONS = (
    click.option(
        "--values",
        multiple=True,
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        help="Render charts with this file of values, on top of their own.",
    ),
    click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="And with this value."),
)


def chart_values(command: Callable[..., int]) -> Callable[..., int]:
    """--values and --set, given to the command as one argument `asked`."""

    @functools.wraps(command)
    def with_one(**given: Any) -> int:
        from auditor.sources.building import Rendering

        asked = Rendering(values=given.pop("values"), sets=given.pop("sets"))
        return command(**given, asked=asked)

    for option in reversed(_BUILD_OPTIONS):
        with_one = option(with_one)
    return with_one


def cluster_access(command: F) -> F:
    """--kubeconfig and --context."""
    for option in (
        click.option("--context", help="The context of the kubeconfig to use."),
        click.option(
            "--kubeconfig",
            type=click.Path(),
            help="Path of the kubeconfig. [default: $KUBECONFIG, else ~/.kube/config]",
        ),
    ):
        command = option(command)
    return command


def cluster_reading(command: F) -> F:
    """--cached and --request-timeout."""
    for option in (
        click.option(
            "--request-timeout",
            "patience",
            type=click.FloatRange(min=0, min_open=True),
            default=120,
            show_default=True,
            metavar="SECONDS",
            help="How long one list of the cluster may take.",
        ),
        click.option(
            "--cached", is_flag=True, help="Take what the API server remembers: a moment old."
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster is read, and how."""

    kubeconfig: str | None = None
    context: str | None = None
    cached: bool = False
    patience: float = 120.0
    namespaces: tuple[str, ...] = ()
    """What is read where not everything may be."""

    @property
    def flags(self) -> list[str]:
        """The flags that lead kubectl to the same cluster."""
        given = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        return [f"{flag}={value}" for flag, value in given.items() if value]

    def snapshot(self) -> Snapshot:
        """What the cluster holds.

        Raises:
            ClusterError: see there.
        """
        from auditor.sources.cluster import ClusterSource

        source = ClusterSource(
            self.kubeconfig,
            self.context,
            self.namespaces,
            patience=self.patience,
            cached=self.cached,
        )
        return source.snapshot()


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options add up to."""

    bench: Bench
    settings: Settings
    any_version: bool
    """Whether no Kubernetes version was asked for."""
    building: Building
    """What is declared of charts and of the sources of GitOps objects."""
    declared: Scope
    """What the configuration limits an audit to. Admission knows of no such limits."""
    admission: Admission
    """What becomes of a request that adds a fault."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the scope; none where it is all of them."""
        return self.settings.scope.namespaces if self.settings.scope else ()

    def judging(self, snapshot: Snapshot) -> Settings:
        """The settings, for the version of the server that the snapshot was read from, as far as
        the policies know it.
        """
        version = snapshot.server.version if snapshot.server else 0
        if not self.any_version or not version:
            return self.settings
        return replace(self.settings, kubernetes=min(version, 100 + NEWEST))


def start_folder(paths: tuple[str, ...]) -> Path:
    """Where to look for the configuration: the first path, else here."""
    first = Path(paths[0]) if paths and paths[0] != "-" else Path()
    return first if first.is_dir() else first.parent


def choose(
    policies: PolicyOptions, start: Path, *, whole: bool = True, workers: bool = True
) -> Chosen:
    """The bench and the settings that the shared options ask for; the configuration is looked for
    from `start` upwards. `whole`: all that is at `start` is to be audited. `workers` lets processes
    of their own ask the policies: see `auditor.policies.workers`.

    Raises:
        ConfigError, PolicyError: see there.
    """
    from auditor.cli.overruling import configuration, load_policies

    declared = configuration(policies, start)
    known = load_policies(policies, declared, start)
    return choose_of(known, policies, declared, start, whole=whole, workers=workers)


def choose_of(
    loaded: tuple[tuple[Policy, ...], Mapping[str, str]],
    policies: PolicyOptions,
    declared: Declared,
    start: Path,
    *,
    whole: bool = True,
    workers: bool = True,
) -> Chosen:
    """The same of policies and libraries that were loaded already (`auditor.policies.loader.load`),
    and of a configuration.

    Raises:
        ConfigError, PolicyError: see there.
    """
    from auditor.audit import Bench
    from auditor.cli.admission import checked
    from auditor.cli.overruling import answered_for, pinned_set
    from auditor.frameworks.catalogue import linked, uncovered, wanted_controls
    from auditor.model import Settings
    from auditor.policies.engine import compile_policies
    from auditor.policies.loader import chosen
    from auditor.policies.parameters import settled
    from auditor.policies.workers import apart

    known, library = loaded
    pinned = pinned_set(declared, known)
    controls = wanted_controls(policies.framework)
    known = linked(known, policies.framework) if policies.framework else known
    wanted = frozenset(controls)
    asked = chosen(known, policies.profile, policies.select, wanted, preview=policies.preview)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    program = compile_policies(policies.engine, modules)
    if workers:
        program = apart(policies.engine, program, modules)
    settings = Settings(
        kubernetes=policies.kubernetes_version or KUBERNETES,
        **declared.topology(policies.rack_label),
        policy_set=pinned,
        openings=declared.openings,
        cni=enforcers(policies.cni) or tuple(declared.config.cni),
        **answered_for(policies, declared, start, whole=whole),
        parameters=settled(declared.config.parameters, known, declared.file),
        data=declared.data,
        flows=observed(policies.flows),
    )
    bench = Bench(asked, program, uncovered(controls, asked), known)
    building = declared.building(settings.kubernetes)
    any_version = policies.kubernetes_version is None
    scope, admission = declared.config.scope.value, checked(declared.admission, known)
    return Chosen(bench, settings, any_version, building, scope, admission)


def enforcers(names: Sequence[str]) -> tuple[str, ...]:
    """The profiles that --cni names, each once.

    Raises:
        UsageError: one is none, or two contradict each other.
    """
    if not names:
        return ()
    from auditor.facts.network.profiles import profile_of, split

    profile_of(names)
    return split(names)


def observed(files: Sequence[Path]) -> tuple[Flows, ...]:
    """The flows of these files.

    Raises:
        UsageError: one of them is none of the forms that we know.
    """
    from auditor.sources.flows import read_flows

    return tuple(map(read_flows, files))


def saved_in(paths: tuple[str, ...]) -> Path | None:
    """The snapshot of a cluster that is named.

    Raises:
        UsageError: something else is named besides: a cluster is whole, and nobody can say which
            of two descriptions of an object is the one that counts.
    """
    from auditor.errors import UsageError
    from auditor.sources.saved import is_saved

    files = [Path(path) for path in paths if path != "-" and Path(path).is_file()]
    found = next((file for file in files if is_saved(file)), None)
    if found and len(paths) > 1:
        raise UsageError(f"{found} is the snapshot of a cluster: audit it alone")
    return found


def together(found: Sequence[Variant]) -> Snapshot:
    """All alternatives beside each other."""
    from auditor.model import Snapshot

    if len(found) == 1:
        return found[0].snapshot
    resources = {id(one): one for each in found for one in each.snapshot.resources}
    gaps = dict.fromkeys(gap for each in found for gap in each.snapshot.gaps)
    return Snapshot(tuple(resources.values()), tuple(gaps))


def read_variants(
    paths: tuple[str, ...],
    building: Building | None = None,
    *,
    cluster: bool = False,
    access: Access | None = None,
    expecting: Callable[[int], None] = lambda _number: None,
) -> tuple[Variant, ...]:
    """The states in which the files may be deployed, or the one of a cluster. Whatever reads files
    or a cluster comes here. `expecting` is told how many files there are before they are read.

    Raises:
        UsageError: neither or both were named. NothingToAuditError: there is nothing in them.
        ClusterError, SnapshotError: see there.
    """
    from auditor.errors import NothingToAuditError, UsageError
    from auditor.sources.variants import Variant

    if bool(paths) == cluster:
        raise UsageError("name files and folders to audit, or --cluster (and not both)")
    if cluster and building and building.commanded:
        raise UsageError("--values and --set are for charts among files, not for a cluster")
    if cluster:
        found: tuple[Variant, ...] = (Variant("", (access or Access()).snapshot()),)
        where = "the cluster"
    elif saved := saved_in(paths):
        from auditor.sources.saved import load as load_saved

        found = (Variant("", load_saved(saved)),)
        where = str(saved)
    else:
        from auditor.sources.building import Building
        from auditor.sources.files import FileSource

        found = FileSource(paths, building or Building(), expecting).variants()
        where = ", ".join(paths)
    if not any(one.snapshot.resources or one.snapshot.gaps for one in found):
        if paths == ("-",):
            raise NothingToAuditError("no Kubernetes object on standard input")
        raise NothingToAuditError(
            f"no Kubernetes object in {where} (looked at *.yaml, *.yml and *.json, "
            "in sub-folders too)"
            if not cluster
            else f"no object in {where}"
        )
    return found


def count(variants: tuple[Variant, ...]) -> int:
    """How many objects there are in all variants, what they share once."""
    return len({id(one) for variant in variants for one in variant.snapshot.resources})
