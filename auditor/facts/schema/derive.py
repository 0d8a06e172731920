"""Makes `types.json.gz`: ``python -m auditor.facts.schema.derive FOLDER``.

FOLDER is the folder ``kubernetes-json-schema`` of the package `kubernetes-validate`, unpacked; its
folders ``v1.N.0-local`` hold the OpenAPI definitions of each version. What is kept is the tree of
fields, 40 times smaller: a definition is written once for every run of versions in which it is the
same. Not imported by the product.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from auditor.facts.schema.types import FILE
from auditor.values import dataclass

Definitions = Mapping[str, Mapping[str, Any]]
Shape = dict[str, Any]
GROUPS = frozenset(
    (
        "", "apps", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
        "autoscaling", "storage.k8s.io", "scheduling.k8s.io", "node.k8s.io",
    )
)  # fmt: skip
"""The API groups whose objects people write and we judge."""
_REFERENCE = re.compile(r"^#/(?:\$defs|definitions)/")
_PREFIX = re.compile(r"^io\.k8s\.(?:api|apimachinery\.pkg\.(?:api|apis|runtime|util))\.")


@dataclass(frozen=True, slots=True)
class Derived:
    """What one version has."""

    kinds: Mapping[str, str]
    """``apps/v1 Deployment`` → the name of its type."""
    shapes: Mapping[str, Shape]
    """The name of a type → its fields, or what it stands for."""


def derived(folders: Mapping[int, Path]) -> dict[str, Any]:
    """The file's value: kinds and types of every version (100 × major + minor → its folder)."""
    kinds: dict[str, str] = {}
    types: dict[str, list[tuple[int, int, Shape]]] = {}
    for version, folder in sorted(folders.items()):
        told = derived_of(orjson.loads((folder / "_definitions.json").read_bytes())["$defs"])
        kinds |= told.kinds
        for name, shape in told.shapes.items():
            _append(types.setdefault(name, []), version, shape)
    return {"versions": [min(folders), max(folders)], "kinds": kinds, "types": types}


def derived_of(definitions: Definitions) -> Derived:
    """The kinds and types of one version, from OpenAPI definitions: those of the package, or what
    an API server serves under /openapi/v2.
    """
    kinds = dict(_kinds(definitions))
    return Derived(kinds, dict(_reached(definitions, kinds.values())))


def _append(known: list[tuple[int, int, Shape]], version: int, shape: Shape) -> None:
    if known and known[-1][1] == version - 1 and known[-1][2] == shape:
        known[-1] = (known[-1][0], version, shape)
    else:
        known.append((version, version, shape))


def _kinds(definitions: Definitions) -> Iterator[tuple[str, str]]:
    """``apps/v1 Deployment`` → the name of its type."""
    for name, definition in definitions.items():
        for about in definition.get("x-kubernetes-group-version-kind", ()):
            group, version, kind = about["group"], about["version"], about["kind"]
            is_object = "metadata" in definition.get("properties", {})
            if group in GROUPS and is_object and not kind.endswith("List"):
                api_version = f"{group}/{version}" if group else version
                yield f"{api_version} {kind}", _short(name)


def _reached(definitions: Definitions, tops: Any) -> Iterator[tuple[str, Shape]]:
    named = {_short(name): definition for name, definition in definitions.items()}
    waiting, seen = list(tops), set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in named:
            continue
        seen.add(name)
        shape = _shape(name, named[name])
        yield name, shape
        inside = shape.get("fields", {}).values() if "fields" in shape else [shape["is"]]
        waiting += [kind.lstrip("[{")[1:] for kind in inside if "#" in kind]


_SPECIAL = {"resource.Quantity": "number|string", "intstr.IntOrString": "integer|string"}
"""What an API server says of these is the form in which it gives them, not all that it takes."""


def _shape(name: str, definition: Mapping[str, Any]) -> Shape:
    """A mapping of known fields, or the one type that the name stands for."""
    if name in _SPECIAL:
        return {"is": _SPECIAL[name]}
    if "properties" not in definition:
        return {"is": _type(definition)}
    fields = {name: _type(field) for name, field in definition["properties"].items()}
    required = sorted(definition.get("required", ()))
    return {"fields": fields} | ({"required": required} if required else {})


def _type(schema: Mapping[str, Any]) -> str:
    """``string``, ``#core.v1.Container``, ``[string`` for a list, ``{string`` for a map."""
    if "$ref" in schema:
        return "#" + _short(schema["$ref"])
    several = schema.get("oneOf") or schema.get("anyOf")
    if several:
        return "|".join(sorted(_type(one) for one in several))
    given = schema.get("type", "any")
    kind = next(one for one in ([given] if isinstance(given, str) else given) if one != "null")
    if kind == "array":
        return "[" + _type(schema["items"])
    if kind == "object":
        inside = schema.get("additionalProperties")
        return "{" + (_type(inside) if isinstance(inside, dict) else "any")
    return str(kind)


def _short(name: str) -> str:
    return _PREFIX.sub("", _REFERENCE.sub("", name))


def main() -> None:
    """Write the file."""
    root = Path(sys.argv[1])
    found = {
        100 + int(folder.name.split(".")[1]): folder
        for folder in root.glob("v1.*-local")
        if folder.is_dir()
    }
    data = orjson.dumps(derived(found), option=orjson.OPT_SORT_KEYS)
    FILE.write_bytes(gzip.compress(data, 9, mtime=0))
    sys.stdout.write(f"{FILE.name}: {len(data)} bytes, {FILE.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
