"""What `.auditor.yaml` declares of the places where pods run: their labels, nodes, prices, odds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from auditor.declared import Latency, Pool, Prices, Priors

MOST_NODES = 5000
"""As many nodes may be declared: Kubernetes supports no larger cluster."""
NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
NUMBER = "{n}"
"""What stands for the number of a node in the pattern of its name; they count from 1."""
LABEL_KEY = rf"^({NAME}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
TAINT = rf"^[^=:\s]+(=[^=:\s]*)?:({'|'.join(EFFECTS)})$"
Lines = Mapping[tuple[int | str, ...], int]


def _quantity(value: Any) -> Any:
    """A quantity as Kubernetes writes it; numbers are read as text."""
    from auditor.facts.placement.quantities import QuantityError, parse

    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("write a quantity like 8, 500m or 32Gi")  # noqa: TRY004 pydantic's
    try:
        amount = parse(value)
    except QuantityError as error:
        raise ValueError(str(error)) from error
    if amount < 0:
        raise ValueError(f"'{value}' is below zero")
    return str(value)


Quantity = Annotated[
    str,
    BeforeValidator(_quantity),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 0}]}),
]
LabelValue = Annotated[str, Field(pattern=LABEL_VALUE)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class PoolEntry(_Strict):
    """Nodes that are alike."""

    names: list[Annotated[str, Field(pattern=f"^{NAME}$", max_length=253)]] = []
    name: str = ""
    count: int | None = Field(default=None, ge=1, le=MOST_NODES)
    region: LabelValue = ""
    zone: LabelValue = ""
    rack: LabelValue = ""
    labels: dict[Annotated[str, Field(pattern=LABEL_KEY)], LabelValue] = {}
    allocatable: dict[Annotated[str, Field(min_length=1)], Quantity] = {}
    taints: list[Annotated[str, Field(pattern=TAINT)]] = []

    @field_validator("name")
    @classmethod
    def _is_pattern(cls, text: str) -> str:
        if text and not re.fullmatch(NAME, text.replace(NUMBER, "0")):
            raise ValueError(f"'{text}' is no name of a node; {NUMBER} stands for its number")
        return text

    @model_validator(mode="after")
    def _says_which(self) -> PoolEntry:
        if bool(self.names) == bool(self.name):
            raise ValueError(f"say either 'names', or 'name' (with {NUMBER}) and 'count'")
        if self.names and self.count not in (None, len(self.names)):
            raise ValueError(f"count: {self.count} nodes, and {len(self.names)} names")
        if (self.count or 1) > 1 and self.name and NUMBER not in self.name:
            raise ValueError(f"name: {self.count} nodes need {NUMBER} in their name")
        return self

    @property
    def all_names(self) -> tuple[str, ...]:
        """The names of its nodes."""
        numbers = range(1, (self.count or 1) + 1)
        return tuple(self.names) or tuple(self.name.replace(NUMBER, str(n)) for n in numbers)

    def value(self, places: Mapping[str, str], file: str, line: int) -> Pool:
        """The same as the core knows it; `places`: the label of region, zone and rack."""
        named = {"region": self.region, "zone": self.zone, "rack": self.rack}
        own = {places[level]: value for level, value in named.items() if value}
        return Pool(
            self.all_names,
            {**self.labels, **own},
            dict(self.allocatable),
            tuple(map(_taint, self.taints)),
            file,
            line,
        )


def _taint(text: str) -> tuple[str, str, str]:
    what, _, effect = text.rpartition(":")
    key, _, value = what.partition("=")
    return key, value, effect


class LatencyEntry(_Strict):
    """Milliseconds of a round trip within one node, rack, zone and region, and beyond."""

    node: Milliseconds
    rack: Milliseconds
    zone: Milliseconds
    region: Milliseconds
    beyond: Milliseconds

    @model_validator(mode="after")
    def _grows(self) -> LatencyEntry:
        steps = [self.node, self.rack, self.zone, self.region, self.beyond]
        if steps != sorted(steps):
            raise ValueError("what is farther takes no less time: node, rack, zone, region, beyond")
        return self


class PricesEntry(_Strict):
    """What things cost."""

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    gigabyte_between_zones: Price | None = None
    minute_of_downtime: Price | None = None


class PriorsEntry(_Strict):
    """How probable it is that a place is lost."""

    node: Probability
    rack: Probability
    zone: Probability
    region: Probability


class TopologyEntry(_Strict):
    """Which node labels name the places, and what is known of them."""

    rack: str = Field(default="topology.kubernetes.io/rack", min_length=1)
    zone: str = Field(default="topology.kubernetes.io/zone", min_length=1)
    region: str = Field(default="topology.kubernetes.io/region", min_length=1)
    pools: list[PoolEntry] = []
    latency: LatencyEntry | None = None
    prices: PricesEntry | None = None
    priors: PriorsEntry | None = None

    @model_validator(mode="after")
    def _names_each_node_once(self) -> TopologyEntry:
        seen: set[str] = set()
        for number, pool in enumerate(self.pools):
            for name in pool.all_names:
                if name in seen:
                    raise ValueError(f"pools.{number}: there is another node '{name}'")
                seen.add(name)
        if len(seen) > MOST_NODES:
            raise ValueError(f"pools: more than {MOST_NODES} nodes; no cluster has so many")
        return self

    def settings(self, file: str, lines: Lines, rack_label: str | None = None) -> dict[str, Any]:
        """The fields of `auditor.model.Settings` that it fills. `rack_label` counts before its
        own.
        """
        rack = rack_label or self.rack
        places = {"region": self.region, "zone": self.zone, "rack": rack}
        latency, prices, priors = self.latency, self.prices, self.priors
        return {
            "rack_label": rack,
            "zone_label": self.zone,
            "region_label": self.region,
            "pools": tuple(
                pool.value(places, file, lines.get(("topology", "pools", number), 1))
                for number, pool in enumerate(self.pools)
            ),
            "latency": Latency(**latency.model_dump()) if latency else None,
            "prices": Prices(**prices.model_dump()) if prices else None,
            "priors": Priors(**priors.model_dump()) if priors else None,
        }
