"""When a webhook of ours last answered: a time in a Lease, so that whoever comes after an outage
knows since when nobody did.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from auditor.manifests import mapping
from auditor.sources.changes import LiveChange
from auditor.sources.cluster import Connection, RefusedError

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


class Heartbeat:
    """A Lease (coordination.k8s.io/v1) that all replicas renew: get, create and patch must be
    allowed on it, and nothing else is ever written.
    """

    def __init__(self, connection: Connection, namespace: str, name: str) -> None:
        self._connection = connection
        self._namespace, self._name = namespace, name
        where = f"namespaces/{quote(namespace, safe='')}/leases"
        self._collection = f"/apis/coordination.k8s.io/v1/{where}"
        self._path = f"{self._collection}/{quote(name, safe='')}"

    def last(self) -> datetime | None:
        """When one of us last answered; None where none ever did.

        Raises:
            RefusedError: it cannot be read.
        """
        try:
            spec = mapping(self._connection.read(self._path).get("spec"))
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise
        return _moment(spec.get("renewTime"))

    def beat(self, now: datetime, holder: str) -> None:
        """One of us answers.

        Raises:
            RefusedError: it cannot be written.
        """
        spec = {"renewTime": now.astimezone(UTC).strftime(_FORM), "holderIdentity": holder}
        media = "application/merge-patch+json"
        try:
            self._connection.write(LiveChange("PATCH", self._path, media, {"spec": spec}))
        except RefusedError as refused:
            if refused.status != 404:
                raise
            self._create(spec)

    def _create(self, spec: dict[str, Any]) -> None:
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
        try:
            self._connection.write(LiveChange("POST", self._collection, "application/json", lease))
        except RefusedError as refused:
            if refused.status != 409:  # another replica was faster
                raise


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
