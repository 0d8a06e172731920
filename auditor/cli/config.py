"""Reads `.auditor.yaml`: what a user declares about the cluster and the audit, strictly."""

from __future__ import annotations

import datetime
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import ConfigError
from auditor.model import Waiver

NAME = ".auditor.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Topology(_Strict):
    """Which node labels name the places."""

    rack: str = "topology.kubernetes.io/rack"
    zone: str = "topology.kubernetes.io/zone"


class WaiverEntry(_Strict):
    """One fault that somebody answers for."""

    policy: str = Field(min_length=1)
    object: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    until: datetime.date | None = None


class Config(_Strict):
    """The whole file. Every key may be missing."""

    topology: Topology = Topology()
    waivers: list[WaiverEntry] = []

    @property
    def waiver_values(self) -> tuple[Waiver, ...]:
        """The waivers as the core knows them."""
        return tuple(
            Waiver(w.policy, w.object, w.reason, w.until.isoformat() if w.until else "")
            for w in self.waivers
        )


def load(named: Path | None, start: Path) -> Config:
    """The configuration `named`, else the nearest `.auditor.yaml` at `start` or above, else the
    defaults.

    Raises:
        ConfigError: the file cannot be read or says something that we do not know.
    """
    file = named or _nearest(start)
    if file is None:
        return Config()
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: is no YAML: {' '.join(str(error).split())}") from error
    try:
        return Config.model_validate({} if data is None else data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise ConfigError(f"{file}: {field}: {first['msg']}") from error


def _nearest(start: Path) -> Path | None:
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        if (folder / ".git").exists():
            return None
    return None
