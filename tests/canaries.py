"""Tokens that nobody else would write, to be planted where people keep credentials, and a look for
them wherever something comes out.
"""

from __future__ import annotations

import base64
import hashlib
import string
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

_LETTERS = string.ascii_letters + string.digits


class Canaries:
    """The tokens that were planted, by the place where each is."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        """The token of that place: 24 letters and digits, drawn once and the same ever after."""
        drawn = hashlib.sha256(f"canary of {place}".encode()).digest()[:24]
        token = "".join(_LETTERS[byte % len(_LETTERS)] for byte in drawn)
        return self.planted.setdefault(place, token)

    def in_(self, *outputs: str | bytes) -> list[str]:
        """The places whose token stands somewhere in what came out: as it is, as base64 at any of
        its three alignments, in hexadecimal digits, or encoded for a URL.
        """
        texts = [out if isinstance(out, bytes) else out.encode() for out in outputs]
        return [
            place
            for place, token in self.planted.items()
            if any(form in text for form in _forms(token) for text in texts)
        ]

    def in_files(self, folders: Iterable[Path]) -> list[str]:
        """The places whose token stands in some file below the folders."""
        files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
        return self.in_(*(content for file in files for content in _contents(file)))


def _contents(file: Path) -> Iterable[bytes]:
    import gzip
    import zlib

    content = file.read_bytes()
    yield content
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(content)
        except (OSError, EOFError, zlib.error):
            continue


def _forms(token: str) -> set[bytes]:
    raw = token.encode()
    shifted = (base64.b64encode(b"." * shift + raw)[4:-4] for shift in range(3))
    return {raw, raw.hex().encode(), quote(token).encode(), *shifted}
