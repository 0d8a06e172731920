"""`--lease` of `auditor webhook serve`: signs of life, and a look back after an outage."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from auditor.declared import Admission
    from auditor.sources.cluster import Connection
    from auditor.sources.watch import Watcher
    from auditor.webhook.court import Court

lease_option = click.option(
    "--lease",
    metavar="NAMESPACE/NAME",
    help="A Lease in which all replicas note that they answer. After an outage, faults on what was "
    "written meanwhile are logged.",
)


def attending(
    lease: str | None,
    connection: Connection,
    live: Watcher,
    court: Callable[[], Court],
    terms: Admission,
    answers: Callable[[], bool],
    count: Callable[[str], None] = lambda _: None,
) -> AbstractContextManager[Any]:
    """Gives signs of life while it is entered and this replica `answers`; nothing where no Lease is
    named. `court` makes who judges what came in: nobody else may ask them at the same time. `count`
    is called with the id of the policy for each fault that came in.

    Raises:
        UsageError: the Lease is named wrongly.
    """
    import socket

    from auditor.errors import UsageError
    from auditor.sources.heartbeat import Heartbeat
    from auditor.webhook.attendance import Attendance
    from auditor.webhook.outage import tell, unjudged

    if lease is None:
        return nullcontext()
    namespace, _, name = lease.partition("/")
    if not namespace or not name or "/" in name:
        raise UsageError(f"--lease {lease}: say NAMESPACE/NAME")

    def judge(since: datetime) -> None:
        tell(unjudged(court().live(live.snapshot()), since, terms), since, count)

    beats = Heartbeat(connection, namespace, name)
    return Attendance(beats, socket.gethostname(), answers, judge)
