"""The documentation as a site: whole, and with nothing in it that is fetched from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=["']?(?:https?:)?//[^"'> ]+"""
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. MkDocs itself fails at a link that leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(folder)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_on_it(site: Path) -> None:
    """Those of the policies and the frameworks as well."""
    docs = ROOT / "docs"
    pages = {p.relative_to(docs).with_suffix("").as_posix() for p in docs.rglob("*.md")}
    built = {p.relative_to(site).with_suffix("").as_posix() for p in site.rglob("*.html")}
    assert {re.sub(r"(^|/)README$", r"\1index", page) for page in pages} <= built


def test_it_fetches_nothing(site: Path) -> None:
    """No script, style, font or picture of another host."""
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        assert not _FETCHED.findall(page.read_text("utf-8")), page
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text("utf-8"), style


def test_what_lies_outside_is_no_link(site: Path) -> None:
    """The file is named, and nobody is led to a page that is not there."""
    page = (site / "index.html").read_text("utf-8")
    assert "CONTRIBUTING.md" in page
    assert not re.search(r'href="[^"]*CONTRIBUTING', page)
