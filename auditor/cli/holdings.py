"""What `.auditor.yaml` declares of personal data: its holders, and stores beyond the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
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

from auditor.declared import DATA_CLASSES, DATA_KEYS, DataTerms, Holding, Store

WORD = r"^[A-Za-z0-9][-A-Za-z0-9_.]*$"
"""A class of data; a label can hold it."""
HOST = (
    r"^(\*\.)?[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?)*$"
)


def _as_list(value: Any) -> Any:
    """One word, or a list of them; numbers stand for ports."""
    values = value if isinstance(value, list) else [value]
    return [
        str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in values
    ]


def _one_or_more(**item: Any) -> WithJsonSchema:
    """For editors: a single item stands for a list of it."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item}]})


Word = Annotated[str, Field(pattern=WORD)]
Words = Annotated[
    list[Word],
    BeforeValidator(_as_list),
    Field(min_length=1),
    _one_or_more(type="string", pattern=WORD),
]
Requests = Annotated[
    list[Annotated[str, Field(pattern=r"^\S+$")]],
    BeforeValidator(_as_list),
    _one_or_more(type=["string", "integer"], pattern=r"^\S+$"),
]
Networks = Annotated[list[str], BeforeValidator(_as_list), _one_or_more(type="string")]
Hosts = Annotated[
    list[Annotated[str, Field(pattern=HOST)]],
    BeforeValidator(_as_list),
    _one_or_more(type="string", pattern=HOST),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class HoldingEntry(_Strict):
    """What some objects hold. Whatever is missing is left to the manifests."""

    classes: Words | None = Field(default=None, alias="class")
    clients: list[Annotated[str, Field(pattern=r"^\S+$")]] | None = None
    owner: str = ""
    health: Requests = []
    telemetry: Requests = []

    def value(self, name: str, origin: str) -> Holding:
        """The same as the core knows it."""
        classes = None if self.classes is None else tuple(one.lower() for one in self.classes)
        clients = None if self.clients is None else tuple(self.clients)
        health, telemetry = tuple(self.health), tuple(self.telemetry)
        return Holding(name, classes, clients, self.owner, health, telemetry, origin)


class ExternalEntry(_Strict):
    """A store that the cluster's workloads ask, by address, name or ExternalName Service."""

    name: str = Field(min_length=1)
    cidr: Networks = []
    fqdn: Hosts = []
    service: str = Field("", pattern=r"^$|^[^/\s]+/[^/\s]+$")
    classes: Words = Field(alias="class")
    owner: str = Field(min_length=1, pattern=r"\S")

    @field_validator("cidr")
    @classmethod
    def _are_networks(cls, found: list[str]) -> list[str]:
        for one in found:
            ip_network(one, strict=False)
        return found

    @model_validator(mode="after")
    def _says_where(self) -> ExternalEntry:
        if not (self.cidr or self.fqdn or self.service):
            raise ValueError("say where it is: 'cidr', 'fqdn' or 'service'")
        return self

    def value(self, origin: str) -> Store:
        """The same as the core knows it."""
        hosts = tuple(one.lower() for one in self.fqdn)
        classes = tuple(one.lower() for one in self.classes)
        return Store(self.name, tuple(self.cidr), hosts, self.service, classes, self.owner, origin)


class DataEntry(_Strict):
    """All of it."""

    labels: list[Annotated[str, Field(min_length=1, pattern=r"^\S+$")]] = list(DATA_KEYS)
    """The keys of labels and annotations that say what an object holds."""
    classes: Words = list(DATA_CLASSES)
    objects: dict[str, HoldingEntry] = {}
    external: list[ExternalEntry] = []

    @model_validator(mode="after")
    def _classes_are_known(self) -> DataEntry:
        known = {one.lower() for one in self.classes} | {"none"}
        for name, entry in self.objects.items():
            for word in entry.classes or ():
                if word.lower() not in known:
                    what = ", ".join([*self.classes, "none"])
                    raise ValueError(f"objects.{name}.class: '{word}' is none of {what}")
        return self

    def terms(self, at: Mapping[tuple[int | str, ...], str]) -> DataTerms:
        """The same as the core knows it; `at` says where each entry is written."""
        return DataTerms(
            tuple(self.labels),
            tuple(one.lower() for one in self.classes),
            tuple(
                entry.value(name, at.get(("data", "objects", name), ""))
                for name, entry in self.objects.items()
            ),
            tuple(
                entry.value(at.get(("data", "external", i), ""))
                for i, entry in enumerate(self.external)
            ),
        )
