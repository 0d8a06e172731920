"""Which policies can still be asked about a snapshot that was redacted."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.audit import Bench
    from auditor.model import Snapshot

_READS_IMAGES = re.compile(r"^(?!\s*#).*(?:image|registr)", re.MULTILINE | re.IGNORECASE)


def able(bench: Bench, snapshot: Snapshot) -> Bench:
    """The bench without the policies that would judge pseudonyms, each of them a gap. A policy
    reads images where its Rego names them.
    """
    from auditor.model import Gap
    from auditor.redaction import IMAGES, is_redacted

    if not is_redacted(snapshot, IMAGES):
        return bench
    lost = [policy for policy in bench.policies if _READS_IMAGES.search(policy.module)]
    why = "not assessed: it may need the names of images, which are redacted in the snapshot"
    gaps = tuple(Gap.of_policy(policy.id, why) for policy in lost)
    kept = tuple(policy for policy in bench.policies if policy not in lost)
    return replace(bench, policies=kept, gaps=(*bench.gaps, *gaps))
