"""Judges again what was admitted: soon after, by the state as the server tells it.

Each of two requests may be right without the other. What one replica admits, another does not know
until the server tells; and what somebody else changes meanwhile, nobody weighed with it. So the
cluster is judged once more when what was admitted is there, and a fault that nobody was told of
then was *admitted in a race*. Told audits and times; knows no threads and no network.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Any

from auditor.declared import Admission, Mode
from auditor.known import Known
from auditor.model import Audit, Finding, Key, Ref
from auditor.values import dataclass
from auditor.webhook.decide import modes_of
from auditor.webhook.judgement import unasked_policies

log = logging.getLogger(__name__)

ADMITTED_IN_RACE = "admitted in race"
"""How the log calls it."""
CONFIRM_SECONDS = 3.0
"""So long after an admission the cluster is judged again: watches tell within a second."""
GIVE_UP_SECONDS = 60.0
"""What the server does not tell of for so long was never written."""
MOST = 10_000
"""So many admissions are waited for; of a flood, the latest."""
REPORTED = 100
"""So many races are kept for whoever asks."""


@dataclass(frozen=True, slots=True)
class Race:
    """A fault that came with what was admitted, and that no request was told of."""

    finding: Finding
    mode: Mode
    """What would have become of a request that adds it."""
    admitted: tuple[Ref, ...]
    """What was admitted since the last time, first what the fault speaks of."""

    @property
    def fields(self) -> dict[str, Any]:
        """As it is logged, with names and without contents."""
        return {
            "policy": self.finding.policy.id,
            "object": str(self.finding.ref),
            "fingerprint": self.finding.fingerprint,
            "mode": self.mode.value,
            "admitted": [str(ref) for ref in self.admitted[:10]],
        }


@dataclass(frozen=True, slots=True)
class _Admitted:
    ref: Ref
    at: float
    told: frozenset[str]
    """The fingerprints of what it was told to add: in warn and audit, that is let in."""


class Confirmations:
    """What is still to be confirmed. Belongs to one thread.

    Args:
        terms: which faults count, and how.
        clock: seconds that only grow.
        count: called with the id of the policy for each race; a metric.
    """

    def __init__(
        self,
        terms: Admission,
        clock: Callable[[], float],
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._terms = terms
        self._clock = clock
        self._count = count
        self._waiting: deque[_Admitted] = deque(maxlen=MOST)
        self._known = Known({})
        self._settled: Audit | None = None
        self._unasked: frozenset[str] = frozenset()
        self.report: deque[Race] = deque(maxlen=REPORTED)
        """The latest races, the newest last."""

    @property
    def waiting(self) -> bool:
        """Whether anything is still to be confirmed."""
        return bool(self._waiting)

    def admitted(self, ref: Ref, before: Audit, added: Collection[str] = ()) -> None:
        """A request was let in that policies on more than its object judged: on a cluster in the
        state of `before`, with the faults whose fingerprints are `added`.
        """
        if not self._waiting:  # else what came since then may be what is to be found
            self._settle(before)
        self._waiting.append(_Admitted(ref, self._clock(), frozenset(added)))

    def due(self, believed: Collection[Key] = ()) -> bool:
        """Whether it is time to confirm: something was admitted long enough ago that the server has
        told of. `believed`: what it has not told of yet.
        """
        if not self._waiting or self._clock() - self._waiting[0].at < CONFIRM_SECONDS:
            return False
        ripe, _ = self._ripe(believed)
        return bool(ripe)

    def confirm(self, live: Audit, believed: Collection[Key] = ()) -> tuple[Race, ...]:
        """The races that the audit of the cluster as it is now shows. Each is logged and counted
        once.
        """
        ripe, left = self._ripe(believed)
        if not ripe:
            return ()
        told = frozenset().union(*(each.told for each in self._waiting))
        found = [finding for finding in live.open if self._is_new(finding, told)]
        races = tuple(
            Race(finding, mode, _involved(finding, ripe))
            for mode, finding in modes_of(found, self._terms)
        )
        self._waiting = deque(left, MOST)
        self._settle(live)
        self._tell(races)
        return races

    def _is_new(self, finding: Finding, told: frozenset[str]) -> bool:
        if finding.fingerprint in told or finding.policy.id in self._unasked:
            return False
        return finding not in self._known

    def _ripe(self, believed: Collection[Key]) -> tuple[list[_Admitted], list[_Admitted]]:
        now = self._clock()
        ripe: list[_Admitted] = []
        left: list[_Admitted] = []
        for each in self._waiting:
            age = now - each.at
            told = each.ref.key not in believed or age >= GIVE_UP_SECONDS
            (ripe if age >= CONFIRM_SECONDS and told else left).append(each)
        return ripe, left

    def _settle(self, audit: Audit) -> None:
        """Take what is known now for what was known before."""
        if audit is self._settled:
            return
        self._settled = audit
        self._known = Known.of((*audit.open, *audit.folded))
        self._unasked = frozenset(gap.policy for gap in unasked_policies(audit))

    def _tell(self, races: Sequence[Race]) -> None:
        for race in races:
            log.warning(ADMITTED_IN_RACE, extra={"fields": race.fields})
            self._count(race.finding.policy.id)
        self.report.extend(races)


def _involved(finding: Finding, ripe: Sequence[_Admitted]) -> tuple[Ref, ...]:
    named = {finding.ref.key, *(reason.ref.key for reason in finding.evidence if reason.ref)}
    refs = dict.fromkeys(each.ref for each in ripe)
    return tuple(sorted(refs, key=lambda ref: ref.key not in named))
