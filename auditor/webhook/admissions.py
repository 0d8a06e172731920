"""What was just admitted, as an evaluator tells it and the watched cluster remembers it."""

from __future__ import annotations

from typing import Any

from auditor.model import Origin, Ref, Resource
from auditor.sources.rendered import Rendered
from auditor.webhook.live import Admitted, Live
from auditor.webhook.process import Outcome


def admitted_in(outcome: Outcome) -> tuple[Admitted, Any] | None:
    """What an outcome admits, and the object's manifest; None for that where it is deleted."""
    told = outcome.told.get("admitted")
    if not told:
        return None
    return Admitted(Ref(*told["ref"]), frozenset(told["added"])), told["manifest"]


def note(live: Live, ref: Ref, manifest: Any) -> None:
    """Have the cluster remember it, until the API server tells of it."""
    if manifest is None:
        live.forget(ref)
        return
    uri = f"cluster/{ref.namespace or '_cluster'}/{ref.kind}/{ref.name}.yaml"
    origin = Origin(uri, Rendered(uri, manifest), live=True)
    live.remember(Resource(ref, manifest, origin))
