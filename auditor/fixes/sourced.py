"""A fix of what Kustomize or Helm builds: its edits are of the files that it is built from."""

from __future__ import annotations

from auditor.model import Fix, Operation, Ref, Resource
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object that a fix is to change, in one of the variants."""

    variant: int
    ref: Ref
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """How an object comes out otherwise."""

    ref: Ref
    operations: tuple[Operation, ...]
    builds: tuple[str, ...]
    """The builds in which it does, as a user names them."""


@dataclass(frozen=True, slots=True)
class SourceFix(Fix):
    """A fix of a built object. Without edits it could not be traced, or did not hold: its proof
    says why, and its changes are those of the object as it is built.
    """

    wanted: tuple[Wanted, ...] = ()
    rendered: tuple[Rendered, ...] = ()
    """What the edits change in every build that takes part."""
    files: tuple[Resource, ...] = ()
    """The documents of the edited files, each as if it were an object: for whoever shows them."""
