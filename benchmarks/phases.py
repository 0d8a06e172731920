"""Runs ``auditor`` with the arguments given and says, as the last line of stderr, what that took.

In JSON: seconds of CPU of this process to ``load`` the saved cluster, to compute ``facts``, to ask
``policies`` (documents, answers and findings), and for the ``rest`` (start, compilation, report);
those of the ``workers``; ``wall`` seconds; and ``memory``, the peak of the largest process in MB.
Facts are what is computed when a policy asks; little is added to them by being measured.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter, process_time
from typing import Any

import auditor.audit
import auditor.sources.saved
from auditor.cli.main import main
from auditor.facts import Facts

SPENT: defaultdict[str, float] = defaultdict(float)


def measured(owner: Any, name: str, phase: str) -> None:
    """Count what a function takes. It must not be called by itself."""
    function: Callable[..., Any] = getattr(owner, name)

    def timed(*given: Any, **named: Any) -> Any:
        start = process_time()
        try:
            return function(*given, **named)
        finally:
            SPENT[phase] += process_time() - start

    setattr(owner, name, timed)


def spent(wall: float) -> dict[str, float]:
    """What it took, by phase."""
    own, workers = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
    whole, judged = own.ru_utime + own.ru_stime, SPENT["judged"]
    return {
        "load": SPENT["load"],
        "facts": SPENT["facts"],
        "policies": judged - SPENT["facts"],
        "rest": whole - judged - SPENT["load"],
        "workers": workers.ru_utime + workers.ru_stime,
        "wall": wall,
        "memory": max(own.ru_maxrss, workers.ru_maxrss) / 1024,
    }


if __name__ == "__main__":
    measured(auditor.sources.saved, "_read", "load")
    measured(Facts, "about", "facts")
    measured(auditor.audit, "_audited", "judged")
    begun = perf_counter()
    try:
        main()
    finally:
        sys.stdout.flush()
        print(json.dumps(spent(perf_counter() - begun)), file=sys.stderr)
