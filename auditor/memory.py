"""Lets Python build large values without looking for cycles that cannot be there."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, Field, field, fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def collector_paused(*, staying: bool = False) -> Iterator[None]:
    """Without garbage collection: manifests hold no cycles, and looking for them again and again
    is more than half of the time that reading many takes.

    `staying` says that what is there at the end stays as long as the process: it is not looked at
    later either.

    What was built counts as old at once. The first collection after it would go through all of
    that, and then through everything, though it is there to stay. What is garbage among it is
    found when the collector next looks at what is old.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if staying:
            gc.freeze()
            _Frozen.any = True
        if running:
            _age()
            gc.enable()


class _Frozen:
    """Whether anything stays. Python can be asked how much does, and then counts all of it."""

    any = False


def _age() -> None:
    """Move all objects into the oldest generation, without looking at any."""
    if not _Frozen.any:  # what stays is not let go
        gc.freeze()
        gc.unfreeze()


def builder(frozen: type[T], *names: str) -> Callable[..., T]:
    """Makes values of a frozen dataclass with slots, given its fields of these names (without any:
    its first fields) in this order, in a fifth of the time: a frozen one is filled field by field
    through its own guard. For what is made by the hundred thousand.

    Raises:
        TypeError: the class has what the twin would leave out: a ``__post_init__``, a
            ``default_factory``, or fields that are given by name alone or not at all.
    """
    known = {f.name: f for f in fields(frozen)}  # type: ignore[arg-type]
    odd = [name for name, one in known.items() if _is_odd(one)]
    if odd or hasattr(frozen, "__post_init__"):
        raise TypeError(f"{frozen.__name__}: no twin has {', '.join(odd) or '__post_init__'}")
    rest = [(n, Any, field(default=f.default)) for n, f in known.items() if n not in names]
    given = [(name, Any, field()) for name in names]
    open_twin = make_dataclass(f"_Open{frozen.__name__}", [*given, *rest], slots=True, eq=False)

    def built(*values: Any) -> T:
        made = open_twin(*values)
        made.__class__ = frozen  # has the same slots, and lets nothing be set any more
        return made  # type: ignore[no-any-return]

    return built


def _is_odd(one: Field[Any]) -> bool:
    return one.default_factory is not MISSING or one.kw_only is True or not one.init
