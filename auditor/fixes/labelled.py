"""Labels that nothing selects by: pods that get one are selected, and placed, as before."""

from __future__ import annotations

from auditor.manifests import leaves
from auditor.model import Manifest, Path, Snapshot


def is_asked(snapshot: Snapshot, key: str) -> bool:
    """Whether anything may select by this label: it is named elsewhere than as a label. Costs one
    look at every value of the snapshot.
    """
    return any(_names(one.manifest, key) for one in snapshot.resources)


def _names(manifest: Manifest, key: str) -> bool:
    return any(
        (key in path and not _is_label(path, key)) or (isinstance(value, str) and key in value)
        for path, value in leaves(manifest)
    )


def _is_label(path: Path, key: str) -> bool:
    return path[-3:-1] == ("metadata", "labels") and path[-1] == key
