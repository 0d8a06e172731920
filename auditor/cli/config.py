"""Reads `.auditor.yaml`: what a user declares about the cluster and the audit, strictly."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from auditor.cli.admission import AdmissionEntry, AdmissionRuleEntry, MutateEntry, StalenessEntry
from auditor.cli.declared import ChartEntry, building
from auditor.cli.holdings import DataEntry, ExternalEntry, HoldingEntry
from auditor.cli.topology import (
    LatencyEntry,
    PoolEntry,
    PricesEntry,
    PriorsEntry,
    TopologyEntry,
)
from auditor.declared import Acknowledgement, Admission, DataTerms
from auditor.errors import ConfigError, UsageError
from auditor.model import Waiver
from auditor.policies.loader import read_yaml
from auditor.policies.statements import lapsed
from auditor.scope.labels import parse
from auditor.terms import CONFIGURATION, Opening, Scope, Tool
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.sources.building import Building

DOTTED = r"^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$"
"""Names of fields with dots between; a list on the way cannot be named."""

DEEPEST = 3
"""How many steps lead to the deepest field."""


def _days(value: Any) -> Any:
    """``365d`` → 365."""
    if isinstance(value, str) and value.endswith("d") and value[:-1].isdecimal():
        return int(value[:-1])
    raise ValueError("write a number of days like 365d")


Days = Annotated[
    int,
    BeforeValidator(_days),
    Field(ge=1),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*d$"}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


def _profiles(value: Any) -> Any:
    """``cilium,istio`` → those two; a list stays one. They have to be profiles that agree."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("write the name of a profile, or a list of them")
    from auditor.facts.network.profiles import profile_of, split

    try:
        profile_of(names)
    except UsageError as error:
        raise ValueError(str(error).removeprefix("--cni: ")) from error
    return list(split(names))


Enforcers = Annotated[
    list[str],
    BeforeValidator(_profiles),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""What enforces network policies, as names of profiles."""


class WaiverEntry(_Strict):
    """One fault that somebody answers for."""

    policy: str = Field(min_length=1)
    object: str = Field(min_length=1)
    anchor: str = ""
    reason: str = Field(min_length=1, pattern=r"\S")
    until: datetime.date | None = None


class AcknowledgedEntry(_Strict):
    """One gap that somebody answers for."""

    gap: str = Field(min_length=1)
    why: str = ""
    reason: str = Field(min_length=1, pattern=r"\S")
    until: datetime.date | None = None


class ScopeEntry(_Strict):
    """What an audit is about. The flags of the command count before it."""

    namespaces: list[str] = []
    selector: str = ""
    include: list[str] = []
    exclude: list[str] = []
    workloads: Literal["workloads", "platform", "all"] = "workloads"

    @field_validator("selector")
    @classmethod
    def _is_selector(cls, text: str) -> str:
        try:
            parse(text)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return text

    @property
    def value(self) -> Scope:
        """The scope as the core knows it."""
        lists = (tuple(each) for each in (self.namespaces, self.include, self.exclude))
        namespaces, include, exclude = lists
        return Scope(namespaces, self.selector, include, exclude, self.workloads)


class WorkloadEntry(_Strict):
    """A custom kind that makes pods, and where it keeps them."""

    group: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$")
    kind: str = Field(pattern=r"^[A-Z][A-Za-z0-9]*$")
    template: str | None = Field(None, pattern=DOTTED)
    pod: str | None = Field(None, pattern=DOTTED)

    @model_validator(mode="after")
    def _says_where(self) -> WorkloadEntry:
        if (self.template is None) == (self.pod is None):
            raise ValueError(
                "say either 'template' (a pod template) or 'pod' (a pod specification)"
            )
        return self

    @property
    def value(self) -> Opening:
        """The same as the core knows it."""
        path = tuple((self.template or self.pod or "").split("."))
        return Opening(self.group, self.kind, path, bare=self.pod is not None, declared=True)


class Config(_Strict):
    """The whole file. Every key may be missing."""

    topology: TopologyEntry = TopologyEntry()
    cni: Enforcers = []
    scope: ScopeEntry = ScopeEntry()
    workloads: list[WorkloadEntry] = []
    policies: list[str] = []
    policy_set: int | None = Field(default=None, ge=1)
    waivers: list[WaiverEntry] = []
    acknowledged: list[AcknowledgedEntry] = []
    waivers_expire_within: Days | None = None
    inline_waivers: list[str] = []
    honour_waivers_of: list[Tool] = []
    parameters: dict[str, dict[str, Any]] = {}
    """Policy → what it is told; which there are, the policies know."""
    helm: dict[str, list[ChartEntry]] = {}
    sources: dict[str, str] = {}
    data: DataEntry = DataEntry()
    admission: AdmissionEntry = AdmissionEntry()


@dataclass(frozen=True)
class Declared:
    """A configuration, and where it was read."""

    config: Config = field(default_factory=Config)
    file: str = ""
    """As it is named in messages; empty where there is none."""
    folder: Path | None = None
    """The folder of the file."""
    lines: Mapping[tuple[int | str, ...], int] = field(default_factory=dict)
    """The line of each entry."""

    @property
    def openings(self) -> tuple[Opening, ...]:
        """The custom kinds as the core knows them."""
        return tuple(entry.value for entry in self.config.workloads)

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers as the core knows them."""
        return tuple(
            Waiver(w.policy, w.object, w.reason, _iso(w.until), w.anchor, self._at("waivers", i))
            for i, w in enumerate(self.config.waivers)
        )

    @property
    def acknowledged(self) -> tuple[Acknowledgement, ...]:
        """The acknowledgements as the core knows them."""
        return tuple(
            Acknowledgement(a.gap, a.reason, _iso(a.until), a.why, self._at("acknowledged", i))
            for i, a in enumerate(self.config.acknowledged)
        )

    def topology(self, rack_label: str | None = None) -> dict[str, Any]:
        """What it says of the places where pods run, as fields of the settings of the core."""
        return self.config.topology.settings(self.file, self.lines, rack_label)

    @property
    def data(self) -> DataTerms:
        """What it says of personal data, as the core knows it."""
        return self.config.data.terms(self._places)

    @property
    def admission(self) -> Admission:
        """What the webhook does about faults, as the core knows it."""
        return self.config.admission.terms(self._places)

    @property
    def _places(self) -> dict[tuple[int | str, ...], str]:
        return {way: f"{self.file}:{n}" for way, n in self.lines.items()}

    def building(self, kubernetes: int) -> Building:
        """What is declared of charts and of the sources of GitOps objects."""
        return building(self.config.helm, self.config.sources, self.folder or Path(), kubernetes)

    @property
    def policy_folders(self) -> tuple[Path, ...]:
        """The folders of policies that it adds, from where it stands."""
        return tuple((self.folder or Path()) / name for name in self.config.policies)

    def _at(self, key: str, index: int) -> str:
        line = self.lines.get((key, index))
        return f"{self.file}:{line}" if line else self.file


def _iso(day: datetime.date | None) -> str:
    return day.isoformat() if day else ""


def load(named: Path | None, start: Path) -> Declared:
    """The configuration `named`, else the nearest `.auditor.yaml` at `start` or above, else the
    defaults.

    Raises:
        ConfigError: the file cannot be read or says something that we do not know.
    """
    file = named or nearest(start)
    if file is None:
        return Declared()
    file = from_here(file)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    return parsed(text, str(file), file.parent)


def parsed(text: str, file: str, folder: Path) -> Declared:
    """The configuration of a text.

    Raises:
        ConfigError: it says something that we do not know; the text names file, line and field.
    """
    try:
        data = read_yaml(text)
        lines = dict(_lines(yaml.compose(text, Loader=yaml.SafeLoader), ()))
    except (yaml.YAMLError, ValueError) as error:  # a ValueError is a date that does not exist
        raise ConfigError(f"{file}: is no YAML: {' '.join(str(error).split())}") from error
    try:
        config = Config.model_validate({} if data is None else _without_empty(data))
    except ValidationError as error:
        # A key that we do not know is often the reason for another that is missing.
        found = error.errors(include_url=False)
        first = min(found, key=lambda one: one["type"] != "extra_forbidden")
        raise ConfigError(f"{file}{_line_of(first['loc'], lines)}: {_told(first)}") from error
    declared = Declared(config, file, folder, lines)
    _check_ends(declared)
    return declared


def _check_ends(declared: Declared) -> None:
    """Waivers end as soon as the file itself demands.

    Raises:
        ConfigError: one does not.
    """
    within = declared.config.waivers_expire_within or 0
    ends = [(f"waivers.{i}", w.until, w.origin) for i, w in enumerate(declared.waivers)]
    ends += [(f"acknowledged.{i}", a.until, a.origin) for i, a in enumerate(declared.acknowledged)]
    for entry, until, origin in ends:
        why = lapsed(until, within)
        if why and not why.startswith("it ended"):  # that one is told as a gap
            raise ConfigError(f"{origin}: {entry}.until: {why}")


def _lines(
    node: yaml.Node | None, way: tuple[int | str, ...]
) -> list[tuple[tuple[int | str, ...], int]]:
    """The line of each key and entry, as deep as there is a field to name."""
    if len(way) > DEEPEST:
        return []
    steps: Sequence[tuple[int | str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        steps = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        steps = [(index, item, item) for index, item in enumerate(node.value)]
    found = []
    for step, place, value in steps:
        found.append(((*way, step), place.start_mark.line + 1))
        found += _lines(value, (*way, step))
    return found


def _line_of(way: tuple[int | str, ...], lines: Mapping[tuple[int | str, ...], int]) -> str:
    """``:12`` for the field, or the nearest above it that is written."""
    for length in range(len(way), 0, -1):
        if way[:length] in lines:
            return f":{lines[way[:length]]}"
    return ""


def _without_empty(data: Any) -> Any:
    """A key with nothing after it is a key that is not there."""
    if not isinstance(data, dict):
        return data
    return {key: value for key, value in data.items() if value is not None}


def _told(first: Any) -> str:
    """A complaint in our words, with the field that it is about."""
    *way, last = first["loc"] or ("the file",)
    name = ".".join(map(str, (*way, last)))
    if first["type"] == "extra_forbidden":
        known = _known_keys(tuple(way))
        close = difflib.get_close_matches(str(last), known, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(known)}"
        return f"{name}: there is no such key; {hint}"
    if first["type"] in {"model_type", "dict_type"}:
        return f"{name}: must be a mapping of keys and values"
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"{name}: {said[0].lower()}{said[1:]}"


def _known_keys(way: tuple[int | str, ...]) -> list[str]:
    models: Mapping[object, type[BaseModel]] = {
        "topology": TopologyEntry,
        "scope": ScopeEntry,
        "workloads": WorkloadEntry,
        "waivers": WaiverEntry,
        "acknowledged": AcknowledgedEntry,
        "helm": ChartEntry,
        "data": DataEntry,
        "admission": AdmissionEntry,
    }
    within: Mapping[tuple[object, ...], type[BaseModel]] = {
        ("topology", "pools"): PoolEntry,
        ("topology", "latency"): LatencyEntry,
        ("topology", "prices"): PricesEntry,
        ("topology", "priors"): PriorsEntry,
        ("data", "objects"): HoldingEntry,
        ("data", "external"): ExternalEntry,
        ("admission", "rules"): AdmissionRuleEntry,
        ("admission", "mutate"): MutateEntry,
        ("admission", "maxStaleness"): StalenessEntry,
    }
    fields = within.get(way[:2], models[way[0]] if way else Config).model_fields
    return [one.alias or name for name, one in fields.items()]


def from_here(path: Path) -> Path:
    """The path from the current folder where it is below it: reports say no more of a machine."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def nearest(start: Path) -> Path | None:
    """The nearest `.auditor.yaml` at `start` or above, up to the folder that holds `.git`."""
    try:
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / CONFIGURATION).is_file():
                return folder / CONFIGURATION
            if (folder / ".git").exists():
                return None
    except OSError:
        return None  # what may not be looked into is told when it is audited
    return None
