"""Where our own policies are, and which file is one of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def bundled() -> Path:
    """The folder of our own policies: inside an installed wheel, else beside the package."""
    here = Path(__file__).parent
    inside = here / "bundle"
    return inside if inside.is_dir() else here.parents[1] / "policies"


def is_ours(file: str) -> bool:
    """Whether a policy or a library is one of our own."""
    return Path(file).is_relative_to(bundled())
