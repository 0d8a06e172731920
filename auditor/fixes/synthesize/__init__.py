"""What makes or rewrites whole objects for a fix.

A builder takes the facts and the finding and returns the objects as they should be; it promises
nothing: ``auditor.fixes.proof`` checks what it made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auditor.facts import Facts
from auditor.fixes.synthesize.affinity import draw_near
from auditor.fixes.synthesize.budget import guard
from auditor.fixes.synthesize.callers import admit_callers
from auditor.fixes.synthesize.default_deny import deny_by_default
from auditor.fixes.synthesize.egress import contain
from auditor.fixes.synthesize.making_room import make_room
from auditor.fixes.synthesize.mesh import restrict
from auditor.fixes.synthesize.network import isolate, narrow
from auditor.fixes.synthesize.one_way import isolate_both_ways
from auditor.fixes.synthesize.spreading import spread_out
from auditor.fixes.synthesize.together import draw_together, follow_primary
from auditor.model import Change, Finding

Builder = Callable[[Facts, Finding], tuple[Change, ...]]

BUILDERS: Mapping[str, Builder] = {
    "admit_callers": admit_callers,
    "contain": contain,
    "deny_by_default": deny_by_default,
    "draw_near": draw_near,
    "draw_together": draw_together,
    "follow_primary": follow_primary,
    "guard": guard,
    "isolate": isolate,
    "isolate_both_ways": isolate_both_ways,
    "make_room": make_room,
    "narrow": narrow,
    "restrict": restrict,
    "spread_out": spread_out,
}
"""By the name that a policy writes into ``fix.synthesize``. A builder raises
``CannotBuildError`` where it cannot know enough."""
