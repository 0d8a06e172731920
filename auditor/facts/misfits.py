"""What an API server would not take of objects that are written: a gap each, for what it drops or
refuses was not judged as it was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.facts.schema.names import meant
from auditor.facts.schema.types import Fault, Unfit, faults
from auditor.facts.wording import dotted
from auditor.facts.workloads import TEMPLATES, unreadable
from auditor.manifests import at
from auditor.model import Gap, Path, Resource, Unseen


def misfits(resources: Iterable[Resource], version: int) -> Iterator[Gap]:
    """A gap for each kind that is mistyped, each field that the API of that version (100 × major +
    minor) does not know, each value of another type, and each object that makes pods and names no
    container.

    Other required fields may be missing: whoever applies the manifest is told, and what is there
    was judged.
    """
    for resource in resources:
        if name := meant(resource.ref.group, resource.ref.kind):
            yield _mistyped(resource, name)
        found = (*faults(resource, version), *_without_pods(resource))
        told = [path for path, _ in unreadable(resource)] if found else ()
        for fault in found:
            severity = _severity(resource, fault)
            if severity and not any(fault.path[: len(path)] == path for path in told):
                yield Gap(_what(resource, fault.path), _why(fault), severity, ref=resource.ref)


def _mistyped(resource: Resource, name: str) -> Gap:
    ref = resource.ref
    why = f"{ref.api_version} has no kind '{ref.kind}'; did you mean '{name}'?"
    return Gap(_what(resource, ("kind",)), why, Unseen.INCOMPLETE, ref=ref)


def _without_pods(resource: Resource) -> Iterator[Fault]:
    """A template without a pod specification: its fields may stand one level too high."""
    template = TEMPLATES.get((resource.ref.group, resource.ref.kind))
    if template is not None and at(resource.manifest, (*template, "spec")) is None:
        yield Fault((*template, "spec", "containers"), Unfit.MISSING)


def _severity(resource: Resource, fault: Fault) -> Unseen | None:
    if fault.what is Unfit.TYPE:
        return Unseen.INCOMPLETE
    if fault.what is Unfit.MISSING:
        is_pods = fault.path[-1] == "containers" and _is_workload(resource)
        return Unseen.INCOMPLETE if is_pods else None
    return Unseen.UNKNOWN


def _is_workload(resource: Resource) -> bool:
    return (resource.ref.group, resource.ref.kind) in TEMPLATES


def _what(resource: Resource, path: Path) -> str:
    spot = resource.origin.spot(path)
    return f"{dotted(path)} of {resource.ref} ({spot.uri}:{spot.span.line})"


def _why(fault: Fault) -> str:
    if fault.what is Unfit.UNKNOWN:
        meant = f"; did you mean '{fault.hint}'?" if fault.hint else ""
        return f"an API server knows no such field and drops it or refuses the object{meant}"
    if fault.what is Unfit.TYPE:
        return f"an API server refuses it: it must be {fault.hint}"
    if fault.what is Unfit.VERSION:
        return f"an API server of this version does not serve {fault.hint}"
    return "an API server refuses an object that makes pods without any container"
