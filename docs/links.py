"""Hook of MkDocs: what a page says of the repository around it is text on the site, and no link."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<to>(?:\.\./)+[^)\s]*)\)")
_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page with the links that lead out of the documentation as the names of files."""
    folder = PurePosixPath(page.file.src_uri).parent
    parts = _CODE.split(markdown)
    parts[::2] = [_LINK.sub(lambda found: _inside(found, folder), part) for part in parts[::2]]
    return "".join(parts)


def _inside(found: re.Match[str], folder: PurePosixPath) -> str:
    up = found["to"].count("../")
    if up <= len(folder.parts):
        return found[0]
    path = found["to"].rpartition("../")[2]
    return found["text"] if path in found["text"] else f"{found['text']} (`{path}`)"
