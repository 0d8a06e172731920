"""Several changes as one: what they make of each object, and how that is written into the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson

from auditor.fixes.operations import CannotApplyError, patched
from auditor.fixes.patch import (
    CannotEditError,
    apply,
    edits_to,
    insert_document,
    verify,
    verify_inserted,
)
from auditor.model import Change, Fix, Key, Manifest, Operation, Snapshot, TextEdit
from auditor.sources.objects import objects_of
from auditor.sources.yaml import Document, documents

Texts = Mapping[str, tuple[str, str]]
"""File → its text before and after."""


class ClashError(Exception):
    """Two fixes want different things. The text says of which object."""


def merged(snapshot: Snapshot, fixes: Iterable[Fix]) -> tuple[Change, ...]:
    """One change for each object that the fixes touch: their steps one after the other, and what
    two of them have in common once.

    Raises:
        ClashError: they do not go together.
    """
    steps: dict[Key, list[Operation]] = {}
    made: dict[Key, Change] = {}
    for change in (change for fix in fixes for change in fix.changes):
        key = change.resource.ref.key
        if change.beside is None:
            steps.setdefault(key, []).extend(change.operations)
        elif made.setdefault(key, change).resource.manifest != change.resource.manifest:
            raise ClashError(f"two fixes make {change.resource.ref}, and not alike")
    return (*_patched(snapshot, steps), *made.values())


def _patched(snapshot: Snapshot, steps: Mapping[Key, Sequence[Operation]]) -> Iterator[Change]:
    for key, operations in steps.items():
        resource = snapshot.by_key[key]
        try:
            yield patched(resource, *operations)
        except CannotApplyError as error:
            raise ClashError(f"the fixes of {resource.ref} exclude each other: {error}") from error


def written(snapshot: Snapshot, changes: Iterable[Change]) -> tuple[TextEdit, ...]:
    """The changes as edits of the user's files, read again and found right; none for live objects.

    Raises:
        CannotEditError: one of them cannot be written. The text names the file.
    """
    found: list[TextEdit] = []
    for change in changes:
        try:
            found += _edits(snapshot, change)
        except CannotEditError as error:
            where = change.resource.origin.uri
            raise CannotEditError(f"{where} cannot be edited: {error}") from error
    return tuple(found)


def _edits(snapshot: Snapshot, change: Change) -> tuple[TextEdit, ...]:
    if change.resource.origin.live:
        return ()
    if change.beside is None:
        resource = snapshot.by_key[change.resource.ref.key]
        own = edits_to(resource, change.resource.manifest)
        verify(resource, own, change.resource.manifest)
        return own
    beside = snapshot.by_key[change.beside.key]
    inserted = insert_document(beside, change.resource.manifest)
    if beside.origin.prefix:
        check(snapshot, (change,), texts(snapshot, (inserted,)))
    else:
        verify_inserted(beside, inserted, change.resource.manifest)
    return (inserted,)


def texts(snapshot: Snapshot, found: Iterable[TextEdit]) -> Texts:
    """What the edits make of each file.

    Raises:
        CannotEditError: two edits overlap.
    """
    by_file: dict[str, list[TextEdit]] = {}
    for edit in found:
        by_file.setdefault(edit.uri, []).append(edit)
    read = {
        resource.origin.uri: resource.origin.lines.text
        for resource in snapshot.resources
        if resource.origin.uri in by_file and isinstance(resource.origin.lines, Document)
    }
    return {uri: (read[uri], apply(read[uri], mine)) for uri, mine in by_file.items()}


def check(snapshot: Snapshot, changes: Iterable[Change], edited: Texts) -> None:
    """Read every edited file again, as a whole: it holds what it held, with the changes made.

    Raises:
        CannotEditError: it does not.
    """
    made = {change.resource.ref.key: change for change in changes}
    for uri, (_, after) in edited.items():
        inside = [resource for resource in snapshot.resources if resource.origin.uri == uri]
        wanted = [_after(made.get(r.ref.key), r.manifest) for r in inside]
        wanted += [
            change.resource.manifest
            for change in made.values()
            if change.beside and change.resource.origin.uri == uri
        ]
        if _counted(wanted) != _counted(_manifests(uri, after)):
            raise CannotEditError(f"{uri}: the edited text says something else than it should")


def _after(change: Change | None, manifest: Manifest) -> Manifest:
    return change.resource.manifest if change and change.beside is None else manifest


def _manifests(uri: str, text: str) -> Iterator[Manifest]:
    for document in documents(uri, text):
        for found in objects_of(document) if isinstance(document, Document) else ():
            manifest = getattr(found, "manifest", None)
            if manifest is not None:
                yield manifest


def _counted(manifests: Iterable[Manifest]) -> Counter[bytes]:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return Counter(orjson.dumps(manifest, option=options) for manifest in manifests)
