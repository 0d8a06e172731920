"""Builds again what edited files take part in, and compares it with what was built before.

Every build that reads an edited file is done again, in whatever variant it is, from a copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

from auditor.audit import Bench
from auditor.fixes.case import Before
from auditor.fixes.compare import same
from auditor.fixes.differences import differences
from auditor.fixes.drafts import real
from auditor.fixes.sourced import Rendered, SourceFix
from auditor.model import Audit, Change, Manifest, Operation, Ref, Resource, Settings
from auditor.sources.built import Built
from auditor.sources.programs import BuildError
from auditor.sources.recipes import Key, Recipe, again_together, key_of, recipe_of

MOST_AT_ONCE = 4
"""How many builds run beside each other at most."""
MOST_IN_ONE = 16
"""How many builds one process does at most."""
Order = tuple[Recipe, frozenset[tuple[str, str]]]
"""A build, and the new text of files that it reads."""
Texts = Mapping[str, tuple[str, str]]
"""File → its text before and after."""
Made = Mapping[Recipe, Mapping[Key, Manifest]]
"""What builds make, by the identity of objects in what the program wrote."""


Home = tuple[str, Ref]
"""The file in which an object of a base is written, and which one it is."""


class NotRebuiltError(Exception):
    """What edited files would make could not be seen, or is not what it should be."""


class World:
    """The variants before any fix, and what their builds make of edited files."""

    def __init__(self, audits: Sequence[Audit], bench: Bench, settings: Settings) -> None:
        self.befores = [Before(audit, bench, settings) for audit in audits]
        self.tried: dict[object, tuple[SourceFix, Made]] = {}
        """What came of what was tried: a fault and its edits → the fix, and what is built."""
        self._known: dict[Order, Mapping[Key, Manifest] | BuildError] = {}

    @property
    def audits(self) -> list[Audit]:
        """The answer for each variant."""
        return [before.audit for before in self.befores]

    @cached_property
    def _objects(self) -> list[dict[Recipe, list[Resource]]]:
        """What each variant has of each build."""
        found: list[dict[Recipe, list[Resource]]] = []
        for audit in self.audits:
            here: dict[Recipe, list[Resource]] = {}
            for resource in audit.snapshot.resources:
                recipe = recipe_of(resource)
                if recipe:
                    here.setdefault(recipe, []).append(resource)
            found.append(here)
        return found

    @property
    def _recipes(self) -> list[Recipe]:
        return list(dict.fromkeys(recipe for here in self._objects for recipe in here))

    def variants_of(self, made: Made) -> list[int]:
        """The variants that any of these builds is in."""
        return [at for at, here in enumerate(self._objects) if not made.keys().isdisjoint(here)]

    def prepare(self, texts: Iterable[Texts]) -> None:
        """Do the builds that will be asked for, some at once."""
        asked = {order: None for one in texts for order in self._orders(one)}
        asked |= {(recipe, frozenset()): None for recipe, _ in list(asked)}
        left = [order for order in asked if order not in self._known]
        chunks = list(_chunks(left))
        workers = min(MOST_AT_ONCE, os.cpu_count() or 1)
        with ThreadPoolExecutor(workers) as pool:
            for chunk, made in zip(chunks, pool.map(_built_together, chunks), strict=True):
                self._known |= dict(zip(chunk, made, strict=True))

    def split(self, whole: Texts, parts: Sequence[tuple[Texts, frozenset[Home]]]) -> None:
        """Learn from a build with several edits what each of them alone makes, where it changed no
        other objects than those written at the homes that the edits are at: what is written apart
        is built apart. Where that is not so, each will be built by itself.
        """
        ours = frozenset(home for _, homes in parts for home in homes)
        for order in self._orders(whole):
            made, before = self._known.get(order), _before(order[0])
            if made is None or isinstance(made, BuildError) or made.keys() != before.keys():
                continue
            lines = (one.origin.lines for one in order[0].build.resources)
            if not all(one.is_apart for one in lines if isinstance(one, Built)):
                continue
            homes = {key_of(one): home_of(one) for one in order[0].build.resources}
            if any(homes[key] not in ours and not same(before[key], made[key]) for key in before):
                continue
            for texts, mine in parts:
                part = {
                    key: made[key] if homes[key] in mine else manifest
                    for key, manifest in before.items()
                }
                asked = (one for one in self._orders(texts) if one[0] is order[0])
                self._known |= {one: part for one in asked if one not in self._known}

    def _orders(self, texts: Texts) -> Iterator[Order]:
        edited = {real(uri): after for uri, (_, after) in texts.items()}
        for recipe in self._recipes:
            for one in (recipe, *recipe.twins):
                mine = frozenset((f, text) for f, text in edited.items() if f in one.files)
                if mine:
                    yield one, mine

    def made(self, texts: Texts) -> Made:
        """What every build makes that reads one of these files.

        Raises:
            NotRebuiltError: one of them fails, or makes other objects than before.
        """
        found = {order[0]: self._made(*order) for order in self._orders(texts)}
        if not found:
            raise NotRebuiltError("nothing that is built reads the edited files")
        for recipe in self._recipes:
            for twin in recipe.twins:
                made = found.pop(twin, _before(recipe))
                other = found.get(recipe, _before(recipe))
                if any(not same(made.get(key), other.get(key)) for key in made.keys() | other):
                    raise NotRebuiltError(f"{twin.name} would no longer come out as {recipe.name}")
        for recipe, objects in found.items():
            _check_same_objects(recipe, objects)
        return found

    def _made(self, recipe: Recipe, edited: frozenset[tuple[str, str]]) -> Mapping[Key, Manifest]:
        order = (recipe, edited)
        if order not in self._known:
            self._known[order] = _built(order)
        made = self._known[order]
        if isinstance(made, BuildError):
            raise NotRebuiltError(f"{recipe.name} could not be built again: {made}")
        return made

    def changes(self, made: Made, variant: int) -> Iterator[Change]:
        """How the objects of a variant come out otherwise."""
        for recipe, objects in made.items():
            for resource in self._objects[variant].get(recipe, ()):
                steps = self._steps(recipe, resource, objects)
                if steps:
                    new = objects[key_of(resource)]
                    yield Change(replace(resource, manifest=new), steps)

    def _steps(
        self, recipe: Recipe, resource: Resource, objects: Mapping[Key, Manifest]
    ) -> tuple[Operation, ...]:
        """How an object comes out otherwise, but for what does so each time: a chart may write
        random passwords, and the time.
        """
        key = key_of(resource)
        again = self._made(recipe, frozenset()).get(key, resource.manifest)
        unsteady = {step.path for step in differences(resource.manifest, again)}
        steps = differences(resource.manifest, objects[key])
        return tuple(step for step in steps if step.path not in unsteady)

    def rendered(self, made: Made) -> tuple[Rendered, ...]:
        """The whole rendered difference; what is alike in several builds is said once."""
        found: dict[tuple[Ref, str], tuple[tuple[Operation, ...], list[str]]] = {}
        for recipe, objects in made.items():
            here = (at[recipe] for at in self._objects if recipe in at)
            for resource in next(here, []):
                steps = self._steps(recipe, resource, objects)
                if steps:
                    same_as = found.setdefault((resource.ref, repr(steps)), (steps, []))
                    same_as[1].append(recipe.name)
        return tuple(
            Rendered(ref, steps, tuple(names)) for (ref, _), (steps, names) in found.items()
        )


def home_of(resource: Resource) -> Home | None:
    """Where the object is written that Kustomize made this one of."""
    lines = resource.origin.lines
    written = lines.written if isinstance(lines, Built) else None
    return (written.origin.uri, written.ref) if written else None


def _chunks(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """What is done in one process; each by itself where it has none that takes several."""
    batched: list[Order] = []
    for order in orders:
        if order[0].batch is None:
            yield [order]
            continue
        batched.append(order)
        if len(batched) == MOST_IN_ONE:
            yield batched
            batched = []
    if batched:
        yield batched


def _built_together(orders: list[Order]) -> list[Mapping[Key, Manifest] | BuildError]:
    batch = orders[0][0].batch
    if batch:
        with suppress(BuildError):
            asked = [(recipe, dict(edited)) for recipe, edited in orders]
            return list(again_together(asked, batch))
    return [_built(order) for order in orders]


def _built(order: Order) -> Mapping[Key, Manifest] | BuildError:
    recipe, edited = order
    try:
        return recipe.again(dict(edited))
    except BuildError as error:
        return error


def _before(recipe: Recipe) -> Mapping[Key, Manifest]:
    return {key_of(one): one.manifest for one in recipe.build.resources}


def _check_same_objects(recipe: Recipe, objects: Mapping[Key, Manifest]) -> None:
    before = _before(recipe)
    if len(before) < len(recipe.build.resources):
        raise NotRebuiltError(f"{recipe.name} makes one object more than once")
    gone = [key for key in before if key not in objects]
    come = [key for key in objects if key not in before]
    for what, keys in (("no longer make", gone), ("newly make", come)):
        if keys:
            raise NotRebuiltError(f"{recipe.name} would {what} {keys[0][3]}[{keys[0][1]}]")
