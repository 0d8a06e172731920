"""Objects of every kind that has a part in who reaches whom, and wrong values for every place in
them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import yaml

Path = tuple[str | int, ...]

OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all(File(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
)

MESH = {
    "aliases": "trustDomainAliases: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20))
    + "rootNamespace: *a19\ntrustDomain: *a19\npathNormalization: *a19\n",
    "aliases of itself": "trustDomainAliases: &a [*a]\ndefaultConfig: &b {x: *b}\n",
    "merges": "b0: &b0 {x: 1}\n"
    + "".join(f"b{n}: &b{n} {{<<: [*b{n - 1}, *b{n - 1}], k: *b{n - 1}}}\n" for n in range(1, 30)),
    "brackets": "trustDomain: " + "[" * 50_000,
    "braces": "trustDomain: " + "{a: " * 50_000,
    "digits": f"trustDomain: {'9' * 100_000}\n",
    "a tag": "trustDomain: !!python/object/apply:os.system ['false']\n",
    "another document": "trustDomain: a\n---\ntrustDomain: b\n",
    "a list": "[1, 2]",
    "control characters": 'trustDomain: "\\e[31m"\n',
    "no YAML": "trustDomain: 'x\n\t- @",
}
"""What the mesh's ConfigMap may hold in place of its settings."""

WRONG: list[Any] = [
    None, 3, -1, 10**40, 1.5, True, "", "x", "\u001b[31m", "<script>", "10.0.0.0/99", "a" * 5000,
    [], [None], [3], ["x", "x"], [[]], [{}], {}, {"x": None}, {"x": [3]}, {3: 4},
    {"matchLabels": 3}, float("nan"), "2026-01-01",
]  # fmt: skip


KEPT: frozenset[Path] = frozenset(
    [("kind",), ("apiVersion",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")]
)
"""What makes an object one."""


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a value, but for what makes an object one."""
    if path and path not in KEPT:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


def changed(value: Any, path: Path, wrong: Any) -> Any:
    """A copy with another value at this place."""
    found = copy.deepcopy(value)
    at = found
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = copy.deepcopy(wrong)
    return found
