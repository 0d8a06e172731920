"""What the API server was told of the webhook: the live registration, read whole.

The watch leaves certificates out of what it keeps; here they are the point.
"""

from __future__ import annotations

import logging
import math
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from auditor.manifests import mapping, sequence
from auditor.sources.cluster import Connection, RefusedError
from auditor.sources.kinds import ADMISSION
from auditor.webhook.break_glass import BreakGlass, broken
from auditor.webhook.certificates import Trust

log = logging.getLogger(__name__)

REMIND_SECONDS = 300.0
UNMENDED = (
    "break-glass is over and was not ended: failurePolicy is still Ignore, so that everything gets"
    " in while no replica answers; run `auditor webhook break-glass --end`"
)


class LiveRegistration:
    """How the API server will check us, as its configurations of that name say. Needs the right to
    list them, and nothing more.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._query = {"fieldSelector": f"metadata.name={name}"}
        self._known: tuple[Trust, ...] = ()
        self._broken: BreakGlass | None = None
        self._reminded = -math.inf

    def __call__(self) -> tuple[Trust, ...]:
        """As of now; where the API server does not answer, as it was last seen."""
        try:
            lists = [self._connection.read(kind.path, self._query) for kind in ADMISSION]
        except RefusedError as refused:
            log.warning("the registration cannot be read: %s", refused)
            return self._known
        found = [each for one in lists for each in sequence(one.get("items"))]
        self._broken = next(filter(None, map(broken, map(mapping, found))), None)
        self._remind()
        self._known = tuple(dict.fromkeys(trust for each in found for trust in trusts(each)))
        return self._known

    def glass(self) -> BreakGlass | None:
        """The broken glass, as the registration was last seen; None where it is whole, or was
        broken for a time that is over.
        """
        known = self._broken  # another thread may look at the registration meanwhile
        return known if known and known.holds else None

    def unmended(self) -> BreakGlass | None:
        """The glass whose time is over, and that nobody ended: nothing that the webhook may do
        restores what failurePolicy was.
        """
        known = self._broken
        return known if known and not known.holds else None

    def _remind(self) -> None:
        """Say so in the log, again and again."""
        glass, now = self.unmended(), time.monotonic()
        if glass is None:
            self._reminded = -math.inf
        elif now - self._reminded >= REMIND_SECONDS:
            self._reminded = now
            fields = {"until": glass.until, "reason": glass.reason}
            log.error(UNMENDED, extra={"fields": fields})


def trusts(configuration: Mapping[str, Any]) -> list[Trust]:
    """How the API server checks each webhook of a configuration. One without a bundle is left out:
    the API server's own CAs, which we cannot know, decide there.
    """
    webhooks = (mapping(each) for each in sequence(mapping(configuration).get("webhooks")))
    found = (trust(mapping(each.get("clientConfig"))) for each in webhooks)
    return [each for each in found if each is not None]


def trust(client: Mapping[str, Any]) -> Trust | None:
    """How the API server checks the webhook with this clientConfig; None where it has no bundle."""
    bundle = client.get("caBundle")
    if not bundle:
        return None
    try:
        pem = b64decode(str(bundle), validate=True)
    except (NotBase64, ValueError):
        pem = b""  # which verifies nothing, and is told as such
    return Trust(host_of(client), pem)


def host_of(client: Mapping[str, Any]) -> str:
    """The name that the API server calls, and looks for in the certificate."""
    service = mapping(client.get("service"))
    if service:
        return f"{service.get('name')}.{service.get('namespace')}.svc"
    try:
        return urlsplit(str(client.get("url"))).hostname or ""
    except ValueError:
        return ""
