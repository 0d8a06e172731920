"""What `.auditor.yaml` says of charts and sources, as what reads files takes it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from auditor.sources.building import Building, Rendering


class ChartEntry(BaseModel):
    """One way in which a chart is deployed."""

    model_config = ConfigDict(extra="forbid")
    values: list[str] = []
    release: str = Field("release-name", pattern=r"^[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?$")
    namespace: str = Field("", pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$")
    kubernetes: str = Field("", pattern=r"^(1[.][0-9]{1,2}([.][0-9]+)?)?$")
    name: str = ""


def building(
    charts: Mapping[str, list[ChartEntry]],
    sources: Mapping[str, str],
    folder: Path,
    kubernetes: int,
) -> Building:
    """The declarations, with every path from `folder` on."""
    from auditor.sources.building import Building
    from auditor.sources.charts import repository

    top = os.path.realpath(repository(os.path.realpath(folder)) or folder)
    return Building(
        kubernetes=kubernetes,
        charts={
            os.path.realpath(folder / chart): tuple(_rendering(one, folder, top) for one in entries)
            for chart, entries in charts.items()
        },
        sources={address: str(folder / path) for address, path in sources.items()},
        within=top,
    )


def moved(building: Building, old: str, new: str) -> Building:
    """The declarations as they hold for what is below `new` in the place of `old` (real paths).
    What is declared of the folders below `new` themselves counts before.
    """

    def below(path: str) -> bool:
        return Path(path).is_relative_to(old)

    def at(path: str) -> str:
        path = os.path.realpath(path)
        return str(Path(new, Path(path).relative_to(old))) if below(path) else path

    def limit(within: str) -> str:
        if not within or Path(new).is_relative_to(within):
            return within
        return at(within) if below(within) else new

    charts = {
        at(chart): tuple(
            replace(one, values=tuple(map(at, one.values)), within=limit(one.within))
            for one in entries
        )
        for chart, entries in building.charts.items()
    }
    return replace(
        building,
        charts={**charts, **building.charts},
        sources={address: at(path) for address, path in building.sources.items()},
        within=limit(building.within),
    )


def _rendering(entry: ChartEntry, folder: Path, top: str) -> Rendering:
    from auditor.sources.building import Rendering

    return Rendering(
        values=tuple(os.path.realpath(folder / file) for file in entry.values),
        release=entry.release,
        namespace=entry.namespace,
        kubernetes=entry.kubernetes,
        name=entry.name or ", ".join(entry.values),
        within=top,
    )
