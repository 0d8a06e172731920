"""What makes or rewrites whole objects for a fix.

A builder takes the facts and the finding and returns the objects as they should be; it promises
nothing: ``auditor.fixes.proof`` checks what it made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from auditor.facts import Facts
from auditor.model import Change, Finding

Builder = Callable[[Facts, Finding], tuple[Change, ...]]

BUILDERS: Mapping[str, str] = {
    "admit_callers": "callers",
    "bound": "bounding",
    "contain": "egress",
    "deny_by_default": "default_deny",
    "draw_near": "affinity",
    "draw_together": "together",
    "follow_primary": "together",
    "give_requests": "bounding",
    "guard": "budget",
    "isolate": "network",
    "isolate_both_ways": "one_way",
    "make_room": "making_room",
    "narrow": "network",
    "restrict": "mesh",
    "spread_out": "spreading",
}
"""What a policy writes into ``fix.synthesize`` → the module with the function of that name, loaded
when the first fix asks for it. A builder raises ``CannotBuildError`` where it cannot know enough.
"""


def builder_of(name: str) -> Builder | None:
    """The builder of this name; None where nothing is called so."""
    module = BUILDERS.get(name)
    if module is None:
        return None
    found: Builder = getattr(import_module(f"{__name__}.{module}"), name)
    return found
