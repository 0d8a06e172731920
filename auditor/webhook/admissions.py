"""What was just admitted, as an evaluator tells it and the watched cluster remembers it."""

from __future__ import annotations

from typing import Any

from auditor.model import Origin, Ref, Resource
from auditor.sources.rendered import Rendered
from auditor.webhook.live import Live
from auditor.webhook.process import Outcome


def admitted_in(outcome: Outcome) -> tuple[Ref, Any] | None:
    """The object that an outcome admits, and its manifest; None for that where it is deleted."""
    told = outcome.told.get("admitted")
    return (Ref(*told["ref"]), told["manifest"]) if told else None


def note(live: Live, ref: Ref, manifest: Any) -> None:
    """Have the cluster remember it, until the API server tells of it."""
    if manifest is None:
        live.forget(ref)
        return
    uri = f"cluster/{ref.namespace or '_cluster'}/{ref.kind}/{ref.name}.yaml"
    origin = Origin(uri, Rendered(uri, manifest), live=True)
    live.remember(Resource(ref, manifest, origin))
