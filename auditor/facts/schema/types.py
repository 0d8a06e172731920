"""Whether an object has the form that an API server of some version takes."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import field
from enum import Enum, auto
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import orjson

from auditor.facts.schema.fit import ANY, Fields, Fit
from auditor.facts.workloads import workload_of
from auditor.model import Path as Way
from auditor.model import Resource
from auditor.values import dataclass

FILE = Path(__file__).with_name("types.json.gz")
_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


_PLAIN = {"string": str, "integer": int, "boolean": bool}


class Unfit(Enum):
    """Why an API server would not take something."""

    UNKNOWN = auto()
    """A field that it does not know: it is refused under strict validation, else dropped."""
    TYPE = auto()
    MISSING = auto()
    VERSION = auto()
    """A version of a kind that it no longer serves."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A type of some version: its fields, or what it is another name of."""

    fields: Mapping[str, str] | None
    required: tuple[str, ...]
    stands_for: str = ""


@dataclass(frozen=True)
class Types:
    """The types of all versions."""

    versions: tuple[int, int]
    """The oldest and the newest version that is known, as 100 × major + minor."""
    kinds: Mapping[str, str]
    types: Mapping[str, list[tuple[int, int, Mapping[str, Any]]]]

    def known(self, version: int) -> int:
        """The version itself, or the nearest that is known."""
        oldest, newest = self.versions
        return min(max(version, oldest), newest)

    def shape(self, name: str, version: int) -> Shape | None:
        """The type of that name; None where the version has none."""
        if (name, version) not in self._shapes:
            self._shapes[name, version] = self._shape(name, version)
        return self._shapes[name, version]

    @cached_property
    def _shapes(self) -> dict[tuple[str, int], Shape | None]:
        return {}

    def _shape(self, name: str, version: int) -> Shape | None:
        for first, last, shape in self.types.get(name, ()):
            if first <= version <= last:
                required = tuple(shape.get("required", ()))
                return Shape(shape.get("fields"), required, shape.get("is", ""))
        return None


@cache
def types() -> Types:
    """What `types.json.gz` holds."""
    value = orjson.loads(gzip.decompress(FILE.read_bytes()))
    oldest, newest = value["versions"]
    return Types((oldest, newest), value["kinds"], value["types"])


@dataclass(frozen=True, slots=True)
class Fault:
    """What an API server would not take of an object."""

    path: Way
    what: Unfit
    hint: str = ""
    """The type that it must be of, or the field that was meant."""

    def __str__(self) -> str:
        place = _dotted(self.path) or "it"
        return {
            Unfit.UNKNOWN: f"there is no field {place}",
            Unfit.TYPE: f"{place} must be {self.hint}",
            Unfit.MISSING: f"{place} is missing",
            Unfit.VERSION: f"{self.hint} is not served",
        }[self.what]


def faults(resource: Resource, version: int) -> tuple[Fault, ...]:
    """What an API server of that version would not take in the object: fields that it does not
    know, values of another type, required fields that are missing.

    Of a kind that Kubernetes does not define, the pod specification in it is judged. Nothing is
    said of values beyond their type.
    """
    known = types()
    version = known.known(version)
    told = f"{resource.ref.api_version} {resource.ref.kind}"
    name = known.kinds.get(told)
    if name and known.shape(name, version):
        return _read(known, version, f"#{name}", resource.manifest, ())
    if name:
        return (Fault(("apiVersion",), Unfit.VERSION, told),)
    workload = workload_of(resource)
    if workload is None:
        return ()
    return _read(known, version, "#core.v1.PodSpec", workload.pod, workload.pod_path)


def _read(known: Types, version: int, kind: str, value: Any, path: Way) -> tuple[Fault, ...]:
    if _fit(version).check(kind)(value):
        return ()
    reader = _Reader(known, version)
    reader.read(kind, value, path)
    return tuple(reader.found)


@cache
def _fit(version: int) -> Fit:
    known = types()

    def fields(name: str) -> Fields:
        shape = known.shape(name, version)
        if shape is None:
            return Fields(stands_for=ANY)
        return Fields(shape.fields, shape.required, shape.stands_for)

    return Fit(fields)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one object by the types of one version, and collects what is wrong with it."""

    known: Types
    version: int
    found: list[Fault] = field(default_factory=list)

    def read(self, kind: str, value: Any, path: Way) -> None:
        """Collect the faults of a value, which is to be of this kind."""
        if value is None or kind == "any":
            return  # null is a field that is not there
        form = kind[0]
        if form == "#":
            self._type(kind[1:], value, path)
        elif form == "[":
            self._list(kind[1:], value, path)
        elif form == "{":
            self._map(kind[1:], value, path)
        elif not _is_scalar(kind, value):
            self.found.append(Fault(path, Unfit.TYPE, kind.replace("|", " or ")))

    def _type(self, name: str, value: Any, path: Way) -> None:
        shape = self.known.shape(name, self.version)
        if shape is None:
            return
        fields = shape.fields
        if fields is None:
            self.read(shape.stands_for, value, path)
            return
        if not isinstance(value, dict):
            self.found.append(Fault(path, Unfit.TYPE, "a mapping"))
            return
        for key, inside in value.items():
            kind = fields.get(key if type(key) is str else str(key))
            if kind is None:
                self._unknown(str(key), fields, path)
            elif _PLAIN.get(kind) is not type(inside):  # most fields are right at first sight
                self.read(kind, inside, (*path, key))
        missing = [key for key in shape.required if value.get(key) is None]
        self.found.extend(Fault((*path, key), Unfit.MISSING) for key in missing)

    def _unknown(self, key: str, fields: Mapping[str, str], path: Way) -> None:
        self.found.append(Fault((*path, key), Unfit.UNKNOWN, _meant(key, fields)))

    def _list(self, kind: str, value: Any, path: Way) -> None:
        if not isinstance(value, list):
            self.found.append(Fault(path, Unfit.TYPE, "a list"))
            return
        for index, item in enumerate(value):
            self.read(kind, item, (*path, index))

    def _map(self, kind: str, value: Any, path: Way) -> None:
        if not isinstance(value, dict):
            self.found.append(Fault(path, Unfit.TYPE, "a mapping"))
            return
        plain = _PLAIN.get(kind)
        for key, item in value.items():
            if plain is not type(item):
                self.read(kind, item, (*path, key))


@cache
def _allowed(kind: str) -> tuple[type, ...]:
    return tuple(one for part in kind.split("|") for one in _SCALARS.get(part, (object,)))


def _is_scalar(kind: str, value: Any) -> bool:
    allowed = _allowed(kind)
    if isinstance(value, bool):
        return bool in allowed or object in allowed
    whole = isinstance(value, float) and value.is_integer() and int in allowed
    return isinstance(value, allowed) or whole


def _meant(key: str, fields: Mapping[str, str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(key, fields, n=1, cutoff=0.7)), "")


def _dotted(path: Way) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
