"""Which version the API server is: the watches do not tell, and it changes under whoever follows
them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from auditor.errors import ClusterError

ASK_SECONDS = 600.0
"""How often to ask: one small request."""


class Version:
    """The version as 100 × major + minor, asked for again every so often. Belongs to one thread.

    Args:
        ask: asks the server; 0 where it will not tell.
        clock: seconds.

    Raises:
        ClusterError: the server cannot be reached at the start. Later, what it told last holds.
    """

    def __init__(self, ask: Callable[[], int], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._known = ask()
        self._asked = clock()

    def __call__(self) -> int:
        """The version that the server told last; 0 where it never told any."""
        if self._clock() - self._asked >= ASK_SECONDS:
            with contextlib.suppress(ClusterError):  # the watches say that nobody answers
                self._known = self._ask() or self._known
            self._asked = self._clock()
        return self._known
