"""How something was built, so that the same can be built from a copy with other text in its files.

The files of the user are only read. What builds runs as it does for an audit: without a network.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any

from auditor.model import Gap, Manifest, Resource
from auditor.sources.building import Build, built_objects
from auditor.sources.programs import BuildError
from auditor.sources.yaml import documents
from auditor.values import dataclass

MOST_BYTES = 64 * 1024 * 1024
"""How much of a user's files is copied to build again."""
Where = Callable[[str], str]
"""The real path of a file or folder → where it is now."""
Key = tuple[str, str, str, str]
"""Identity as the program wrote it: group, kind, namespace, name."""


Edited = Mapping[str, str]
"""The real path of a file → its new text."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many builds are done in one process, where starting it is most of the cost."""

    told: Callable[[Where], dict[str, Any]]
    """What the process is told of one."""
    run: Callable[[Sequence[dict[str, Any]]], list[str | BuildError]]
    """The text of the objects of each. Raises `BuildError` where the process itself fails."""


@dataclass(eq=False, slots=True)
class Recipe:
    """One build, as it can be done again."""

    build: Build
    root: str
    """The real path of what is built."""
    files: frozenset[str]
    """The real paths of all files that the program may read."""
    given: frozenset[str]
    """The real paths of the files that the user gave: those that may be edited."""
    render: Callable[[Where], str]
    """The text of the objects. Raises `BuildError`."""
    read: Callable[[str], Iterator[Resource | Gap]]
    """The objects of that text."""
    batch: Batch | None = None
    twins: list[Recipe] = field(default_factory=list)
    """Other builds that came out just the same, and were left out for that."""

    @property
    def name(self) -> str:
        """What it is called: ``overlays/prod``."""
        return self.build.name

    def again(self, edited: Edited) -> dict[Key, Manifest]:
        """The objects that it makes where files, by their real paths, have other text.

        Raises:
            BuildError: it makes none, or two of one identity.
        """
        with _copied(self, edited) as where:
            text = self.render(where)
        return self._objects(text)

    def _objects(self, text: str) -> dict[Key, Manifest]:
        found: dict[Key, Manifest] = {}
        for one in self.read(text):
            if isinstance(one, Gap):
                raise BuildError(one.why)
            key = key_of(one)
            if key in found:
                raise BuildError(f"it makes {one.ref} more than once")
            found[key] = one.manifest
        return found

    def made_of(self, text: str | BuildError) -> dict[Key, Manifest] | BuildError:
        """The objects of a text, or why there are none."""
        if isinstance(text, BuildError):
            return text
        try:
            return self._objects(text)
        except BuildError as error:
            return error


@dataclass(frozen=True, slots=True)
class Maker:
    """What made an object, and how it does so again."""

    by: str
    """For people: ``kustomize from shop/overlay``."""
    recipe: Recipe


def again_together(
    orders: Sequence[tuple[Recipe, Edited]], batch: Batch
) -> list[dict[Key, Manifest] | BuildError]:
    """Several builds in one process.

    Raises:
        BuildError: it failed as a whole, which says nothing of any of them.
    """
    with ExitStack() as stack:
        places = [stack.enter_context(_copied(*order)) for order in orders]
        told = [
            recipe.batch.told(where)
            for (recipe, _), where in zip(orders, places, strict=True)
            if recipe.batch
        ]
        texts = batch.run(told)
    return [recipe.made_of(text) for (recipe, _), text in zip(orders, texts, strict=True)]


def text_read(named: str, text: str) -> Iterator[Resource | Gap]:
    """The objects of a text that a program wrote."""
    for document in documents(named, text):
        yield from built_objects(document, named)


def key_of(resource: Resource) -> Key:
    """The identity of an object in what the program wrote, whatever namespace it would get."""
    metadata = resource.manifest.get("metadata")
    written = metadata if isinstance(metadata, dict) else {}
    namespace = str(written.get("namespace") or "")
    return (resource.ref.group, resource.ref.kind, namespace, resource.ref.name)


@contextmanager
def _copied(recipe: Recipe, edited: Edited) -> Iterator[Where]:
    top = os.path.commonpath((recipe.root, *(str(Path(f).parent) for f in recipe.files)))
    with tempfile.TemporaryDirectory(prefix="auditor-") as made:
        home = os.path.realpath(made)

        def where(path: str) -> str:
            return os.path.normpath(Path(home, os.path.relpath(path, top)))

        Path(where(recipe.root)).mkdir(parents=True, exist_ok=True)
        left = MOST_BYTES
        for file in sorted(recipe.files):
            left -= _copy(file, Path(where(file)), edited)
            if left < 0:
                raise BuildError("it is too large to be built again")
        yield where


def _copy(file: str, to: Path, edited: Edited) -> int:
    if not Path(file).is_file():
        return 0  # a name under which the program looks, too
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if file in edited:
            to.write_bytes(edited[file].encode())
        else:
            shutil.copyfile(file, to)
        return to.stat().st_size
    except (OSError, UnicodeEncodeError) as error:
        raise BuildError(f"{Path(file).name} could not be copied: {error}") from error


def recipe_of(resource: Resource) -> Recipe | None:
    """How an object was built; None where it is written, or read from a cluster."""
    found = getattr(resource.origin.lines, "recipe", None)
    return found if isinstance(found, Recipe) else None
