"""Reads `.auditor.yaml`: what a user declares about the cluster and the audit, strictly."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date that does not exist
        raise ConfigError(f"{file}: is no YAML: {' '.join(str(error).split())}") from error
    try:
        return Config.model_validate({} if data is None else _without_empty(data))
    except ValidationError as error:
        raise ConfigError(f"{file}: {_told(error)}") from error


def _without_empty(data: Any) -> Any:
    """A key with nothing after it is a key that is not there."""
    if not isinstance(data, dict):
        return data
    return {key: value for key, value in data.items() if value is not None}


def _told(error: ValidationError) -> str:
    """The first complaint in our words, with the field that it is about."""
    first = error.errors(include_url=False)[0]
    *way, last = first["loc"] or ("the file",)
    field = ".".join(map(str, (*way, last)))
    if first["type"] == "extra_forbidden":
        known = _known_keys(tuple(way))
        close = difflib.get_close_matches(str(last), known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(known)}"
        return f"{field}: there is no such key; {hint}"
    if first["type"] in {"model_type", "dict_type"}:
        return f"{field}: must be a mapping of keys and values"
    return f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _known_keys(way: tuple[int | str, ...]) -> list[str]:
    models: Mapping[object, type[BaseModel]] = {"topology": Topology, "waivers": WaiverEntry}
    return list((models[way[0]] if way else Config).model_fields)


def _nearest(start: Path) -> Path | None:
    try:
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / NAME).is_file():
                return folder / NAME
            if (folder / ".git").exists():
                return None
    except OSError:
        return None  # what may not be looked into is told when it is audited
    return None
