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
    """Whether a policy or a library is one of our own: by the folder that it really lies in,
    however its path is written. The files themselves may be links, as some installers make them.
    """
    return _is_inside(Path(file).absolute().parent)


@cache
def _is_inside(folder: Path) -> bool:
    return folder.resolve().is_relative_to(bundled().resolve())
