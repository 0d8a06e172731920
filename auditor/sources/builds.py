"""Builds what is to be built among the files, and says which files that uses.

Only `auditor.sources.files` may know it. Nothing is fetched and no plugin is run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from auditor.errors import UsageError
from auditor.model import Gap, Resource, Unseen
from auditor.sources.building import Build, Building, Builds
from auditor.sources.charts import can_render, charts_of, helm, used_by
from auditor.sources.claims import Claim, Known, unseen
from auditor.sources.folders import STDIN, File, files_of, real_paths
from auditor.sources.gitops import claims_of, is_gitops
from auditor.sources.kustomizations import Order, Tree, kustomize, leave
from auditor.terms import CHART, KUSTOMIZATIONS

ROUNDS = 8
"""How often what was built may itself deploy something: an application of applications."""
_BUILT = frozenset((*KUSTOMIZATIONS, CHART))
"""The names of files that say that something is to be built."""
Reader = Callable[[Sequence[File]], list[Resource]]


class Builder:
    """What is built of every kustomization among the files that no other one uses, of every chart,
    and of what GitOps objects deploy; a gap for each that could not be built.
    """

    def __init__(
        self, files: Sequence[File], building: Building, folders: tuple[str, ...] = ()
    ) -> None:
        paths = [file.path for file in files if file.path != STDIN]
        self._building = building
        self._folders = folders
        self._tree = Tree(dict(zip(real_paths(paths), paths, strict=True)))
        self._roots: list[str] = []
        self._charts: list[str] = []
        self._bare: dict[str, list[Build]] | None = None
        self._claimed: set[str] = set()
        self._labels: dict[int, str] = {}
        """The identity of a GitOps object → the label of the build that made it."""
        self._found = Builds()
        if any(os.path.basename(path) in _BUILT for path in paths):  # noqa: PTH119 - 10 times as fast
            self._look()

    @property
    def used(self) -> set[str]:
        """The real paths of the files that builds use: they are no objects as they stand."""
        return self._found.used

    def _look(self) -> None:
        tree, used = self._tree, self._found.used
        self._roots = tree.roots()
        self._charts = charts_of(tree) if can_render() else []
        for folder in self._roots:
            used |= tree.files(tree.below(folder))
        for folder in self._charts:
            used |= used_by(tree, folder)
        for folder in tree.idle():
            leave(tree, folder, self._found)

    def build(self, written: Sequence[Resource], read: Reader) -> Builds:
        """All builds, now that it is known what is written. `read` gives the objects of files that
        a GitOps object deploys from outside of what was given.

        Raises:
            UsageError: there are values, and no chart for them.
        """
        known = self._known()
        claimed: list[Build] = []
        ahead = list(written)
        for _ in range(ROUNDS):
            known.add(ahead)
            ahead, made = self._deployed(known, ahead, read)
            claimed += made
            self._label(made)
            if not ahead and self._bare is None:
                self._bare = {folder: made for folder, made in self._built() if made}
                for made in self._bare.values():
                    self._label(made)
                    ahead += [resource for one in made for resource in one.resources]
            if not ahead:
                break
        else:
            for one in filter(is_gitops, ahead):
                why = "what it deploys was not audited: the chain of such objects has no end"
                self._found.gaps.append(unseen(one, why))
        bare = self._bare or {}
        self._found.made = [*claimed, *(one for made in bare.values() for one in made)]
        return self._found

    def _known(self) -> Known:
        raw = [file for file in self._tree.given if file in self._found.used]
        return Known(self._building, self._folders, raw)

    def _deployed(
        self, known: Known, found: Sequence[Resource], read: Reader
    ) -> tuple[list[Resource], list[Build]]:
        """What the GitOps objects among these deploy: as objects, and as builds."""
        objects: list[Resource] = []
        builds: list[Build] = []
        for resource in filter(is_gitops, found):
            for claim in _claims(known, resource):
                if isinstance(claim, Gap):
                    self._found.gaps.append(claim)
                    continue
                made = self._claim(claim, resource)
                builds += made
                objects += [one for build in made for one in build.resources]
                objects += read(self._outside(claim.folder)) if not made else []
        return objects, builds

    def _claim(self, claim: Claim, resource: Resource) -> list[Build]:
        folder, tree = claim.folder, self._tree
        first = folder not in self._claimed
        self._claimed.add(folder)
        if self._bare and first:
            self._bare.pop(folder, None)
        if Path(folder, CHART).is_file():
            if not can_render():
                self._found.gaps.append(unseen(resource, "its chart needs helm, which is not here"))
                return []
            made = helm(tree, folder, self._found, self._building, [claim.rendering])
        elif tree.at(folder):
            order = Order(claim.around, claim.by, claim.replaced)
            one = kustomize(tree, folder, self._found, order)
            made = [one] if one else []
        else:
            if claim.around or claim.replaced is not str:
                why = f"what it changes in {tree.named(folder, folder)} was not applied"
                self._found.gaps.append(unseen(resource, why, Unseen.UNKNOWN))
            return []
        for one in made:
            outer = self._labels.get(id(resource), "")
            one.namespace = claim.namespace
            one.label = f"{outer} {claim.label}".strip() or one.label
            one.name += "" if one.name.endswith(claim.title) else f" {claim.title}"
        return made

    def _label(self, made: Sequence[Build]) -> None:
        """Remember which alternative the GitOps objects of builds belong to."""
        for one in made:
            found = (resource for resource in one.resources if is_gitops(resource))
            self._labels |= {id(resource): one.label for resource in found}

    def _outside(self, folder: str) -> list[File]:
        """The files of a folder of manifests that were not among those that were given."""
        if Path(folder, CHART).is_file() or self._tree.at(folder):
            return []
        named = self._tree.named(folder, folder)
        found = [file for file in files_of((named,)) if isinstance(file, File)]
        new = {os.path.realpath(file.path): file for file in found}
        return [file for path, file in new.items() if self._tree.add(path, file.path)]

    def _built(self) -> Iterator[tuple[str, list[Build]]]:
        """What no GitOps object deploys, as it stands."""
        for folder in self._roots:
            if folder not in self._claimed:
                one = kustomize(self._tree, folder, self._found)
                yield folder, [one] if one else []
        if self._building.commanded and not self._charts:
            raise UsageError("--values and --set need a chart among the files")
        for folder in self._charts:
            if folder not in self._claimed:
                yield folder, helm(self._tree, folder, self._found, self._building)


def _claims(known: Known, resource: Resource) -> list[Claim | Gap]:
    """What the object deploys; whatever is in it, it is read or named."""
    try:
        return list(claims_of(known, resource))
    except (ValueError, TypeError, KeyError, OSError, NotImplementedError, RecursionError) as error:
        why = f"what it deploys was not audited: it cannot be understood ({type(error).__name__})"
        return [unseen(resource, why)]
