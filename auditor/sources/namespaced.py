"""Lists of single namespaces, for whoever may not list those of the whole cluster.

What is not read then may change answers about what is: a workload elsewhere may reach one here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from auditor.model import About, Gap, Resource, Unseen
from auditor.values import dataclass

REST = (
    "of all namespaces may not be read, only of {namespaces}: who is elsewhere may change answers"
)


@dataclass(frozen=True, slots=True)
class Partial:
    """What could be read of a kind, and what of it could not."""

    resources: tuple[Resource, ...]
    gap: Gap


def partly(
    what: str, kind: str, namespaces: Sequence[str], read: Callable[[str], Sequence[Resource]]
) -> Partial:
    """The objects of each namespace; any exception of `read` is passed on."""
    found = tuple(resource for name in namespaces for resource in read(name))
    why = REST.format(namespaces=", ".join(namespaces))
    return Partial(found, _unlisted(what, why, kind))


def beyond(what: str, why: str, kind: str) -> Gap:
    """A list of objects of the cluster itself, which a right to a namespace does not give."""
    return _unlisted(what, why, kind)


def _unlisted(what: str, why: str, kind: str) -> Gap:
    return Gap(what, why, Unseen.UNKNOWN, (kind,), about=About.LIST)


def plain(namespaces: Sequence[str]) -> tuple[str, ...]:
    """The namespaces, where all of them are names; none where one is a pattern, since which there
    are is not known to whoever may not list them.
    """
    patterns = any(sign in name for name in namespaces for sign in "*?")
    return () if patterns else tuple(dict.fromkeys(namespaces))
