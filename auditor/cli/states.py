"""Reads what a verb asks about by the flags that many share: the states that the files may be
deployed in, or the cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import Access, KubernetesVersion, read_variants, start_folder
from auditor.cli.scope import ScopeOptions
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.config import Declared
    from auditor.sources.building import Rendering
    from auditor.sources.variants import Variant
    from auditor.terms import Scope


choice_of_state = (
    click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration file [default: the nearest .auditor.yaml].",
    ),
    click.option(
        "--kubernetes-version",
        "kubernetes",
        type=KubernetesVersion(),
        help="Render charts for this version.",
    ),
    click.option(
        "--variant",
        default="",
        metavar="NAME",
        help="Of several states that the files may be deployed in, this one.",
    ),
)
"""--config, --kubernetes-version and --variant."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What such a verb was told."""

    paths: tuple[str, ...] = ()
    cluster: bool = False
    access: Access = Access()
    building: Rendering | None = None
    scope: ScopeOptions = ScopeOptions()
    config: Path | None = None
    kubernetes: int | None = None
    variant: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class States:
    """What was read, and what is declared of it."""

    found: Sequence[Variant]
    declared: Declared
    scope: Scope


def read_states(flags: Flags) -> States:
    """Whatever the flags name.

    Raises:
        UsageError, NothingToAuditError, ConfigError, ClusterError, SnapshotError: see there.
    """
    from auditor.cli.config import load
    from auditor.cli.scope import limited
    from auditor.terms import KUBERNETES

    declared = load(flags.config, start_folder(flags.paths))
    scope = limited(declared.config.scope.value, flags.scope)
    building = declared.building(flags.kubernetes or KUBERNETES)
    if flags.building:
        building = building.asking(flags.building)
    access = replace(flags.access, namespaces=scope.namespaces)
    found = read_variants(flags.paths, building, cluster=flags.cluster, access=access)
    return States(found, declared, scope)


def of_variant(found: Sequence[Variant], name: str) -> Sequence[Variant]:
    """All states, or the one of that name.

    Raises:
        UsageError: there is none of that name.
    """
    from auditor.errors import UsageError

    if not name:
        return found
    fitting = [one for one in found if one.name == name]
    if not fitting:
        known = ", ".join(f"'{one.name}'" for one in found if one.name) or "no name: there is one"
        raise UsageError(f"--variant: there is no '{name}'; the states that were read: {known}")
    return fitting
