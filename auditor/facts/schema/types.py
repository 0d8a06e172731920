"""Whether an object has the form that an API server of some version takes."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import orjson

from auditor.facts.workloads import workload_of
from auditor.model import Path as Way
from auditor.model import Resource

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
        return tuple(_faults(known, version, f"#{name}", resource.manifest, ()))
    if name:
        return (Fault(("apiVersion",), Unfit.VERSION, told),)
    workload = workload_of(resource)
    if workload is None:
        return ()
    return tuple(_faults(known, version, "#core.v1.PodSpec", workload.pod, workload.pod_path))


def _faults(known: Types, version: int, kind: str, value: Any, path: Way) -> Iterator[Fault]:
    if value is None or kind == "any":
        return  # null is a field that is not there
    if kind.startswith("#"):
        yield from _of_type(known, version, kind[1:], value, path)
    elif kind.startswith("["):
        yield from _of_list(known, version, kind[1:], value, path)
    elif kind.startswith("{"):
        yield from _of_map(known, version, kind[1:], value, path)
    elif not _is_scalar(kind, value):
        yield Fault(path, Unfit.TYPE, kind.replace("|", " or "))


@cache
def _allowed(kind: str) -> tuple[type, ...]:
    return tuple(one for part in kind.split("|") for one in _SCALARS.get(part, (object,)))


def _is_scalar(kind: str, value: Any) -> bool:
    allowed = _allowed(kind)
    if isinstance(value, bool):
        return bool in allowed or object in allowed
    whole = isinstance(value, float) and value.is_integer() and int in allowed
    return isinstance(value, allowed) or whole


def _of_type(known: Types, version: int, name: str, value: Any, path: Way) -> Iterator[Fault]:
    shape = known.shape(name, version)
    if shape is None:
        return
    if shape.fields is None:
        yield from _faults(known, version, shape.stands_for, value, path)
        return
    if not isinstance(value, dict):
        yield Fault(path, Unfit.TYPE, "a mapping")
        return
    for key, inside in value.items():
        kind = shape.fields.get(str(key))
        if kind is None:
            yield Fault((*path, str(key)), Unfit.UNKNOWN, _meant(str(key), shape.fields))
        elif _PLAIN.get(kind) is not type(inside):  # most fields are right at first sight
            yield from _faults(known, version, kind, inside, (*path, key))
    for key in shape.required:
        if value.get(key) is None:
            yield Fault((*path, key), Unfit.MISSING)


def _of_list(known: Types, version: int, kind: str, value: Any, path: Way) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(path, Unfit.TYPE, "a list")
        return
    for index, item in enumerate(value):
        yield from _faults(known, version, kind, item, (*path, index))


def _of_map(known: Types, version: int, kind: str, value: Any, path: Way) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(path, Unfit.TYPE, "a mapping")
        return
    for key, item in value.items():
        if _PLAIN.get(kind) is not type(item):
            yield from _faults(known, version, kind, item, (*path, key))


def _meant(key: str, fields: Mapping[str, str]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(key, fields, n=1, cutoff=0.7)), "")


def _dotted(path: Way) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
