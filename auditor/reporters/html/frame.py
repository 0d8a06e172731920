"""What every page has in common: one file, which loads nothing, sends nothing and runs nothing but
its own script.

All that comes from manifests is escaped, or stands in a block of JSON from which the script takes
it as text: nothing of it is ever read as markup. Beside that, the page forbids whatever is not the
very style and the very script that it was written with (https://www.w3.org/TR/CSP3/).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from auditor.reporters.palette import DARK, LIGHT
from auditor.text import escaped

_ASSETS = "auditor.reporters.html"
_SCHEMES = (
    f":root{{color-scheme:light dark;{LIGHT}}}\n"
    f"@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}\n"
    f":root[data-theme=light]{{color-scheme:light;{LIGHT}}}\n"
    f":root[data-theme=dark]{{color-scheme:dark;{DARK}}}\n"
)


@cache
def asset(name: str) -> str:
    """The text of a file that is part of every page which names it."""
    return (files(_ASSETS) / "assets" / name).read_text(encoding="utf-8")


def page(title: str, body: str, styles: Sequence[str], scripts: Sequence[str]) -> str:
    """The page. `body` is markup, `styles` is style, `scripts` are names of assets."""
    style = _SCHEMES + asset("base.css") + "".join(styles)
    script = '"use strict";\n' + "".join(map(asset, ("base.js", *scripts)))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _hash(inline: str) -> str:
    """How the policy of contents names what stands in the page."""
    digest = hashlib.sha256(inline.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def header(title: str, about: str = "") -> str:
    """The top of a page; `about` is markup below the title."""
    return (
        f'<header class="top"><div><h1>{text(title)}</h1>{about}</div>'
        '<button id="theme" type="button">Dark or light</button></header>'
    )


def text(said: str) -> str:
    """Text of others as content or attribute: no markup, no control character."""
    return escape(escaped(said), quote=True)


def embedded(value: Any) -> str:
    """As JSON in which nothing ends a script, or begins a comment."""
    said = json.dumps(value, ensure_ascii=True, default=str, separators=(",", ":"))
    return said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def block(name: str, value: Any) -> str:
    """The block of JSON of this id."""
    return f'<script type="application/json" id="{name}">{embedded(value)}</script>'
