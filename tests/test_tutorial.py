"""Whoever follows a page of the documents sees what the page shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .shown import blocks, differs, replay

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (
    "tutorial.md",
    "comparison.md",
    *(f"howto/{file.name}" for file in sorted((DOCS / "howto").glob("*.md"))),
)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_what_comes_of_it(page: str, tmp_path: Path) -> None:
    """Every command of it, in its order, on a copy of the example company."""
    shutil.copytree(ROOT / "fixtures" / "clusters" / "peapods", tmp_path / "peapods")
    replay((DOCS / page).read_text("utf-8"), tmp_path)
    for saved in tmp_path.glob("*.html"):
        assert "shop/nightly-report" in saved.read_text("utf-8")


REAL = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "shown", [REAL, ("a", "…"), ("…", "d"), ("a", "…", "c", "d"), ("…", "b", "…"), ("…",)]
)
def test_lines_may_be_left_out_where_that_is_said(shown: tuple[str, ...]) -> None:
    assert differs(shown, REAL) is None


@pytest.mark.parametrize(
    "shown",
    [(), ("a",), ("d",), ("a", "b", "d"), ("b", "…"), ("…", "c"), ("…", "a", "…", "a", "…"),
     ("a", "…", "x", "…"), (*REAL, "e"), ("a", "…", "b", "c", "d", "e")],
)  # fmt: skip
def test_and_nowhere_else(shown: tuple[str, ...]) -> None:
    assert differs(shown, REAL) is not None


def test_the_rest_of_a_line_may_be_left_out() -> None:
    assert differs(("16 findings: …",), ("16 findings: 3 high",)) is None
    assert differs(("15 findings: …",), ("16 findings: 3 high",)) is not None


@pytest.mark.parametrize(
    "wrong",
    ["$ auditor audit nowhere", "$ auditor audit peapods --no-such-flag", "$ auditor invent it",
     "$ auditor explain privileged-container\n$ echo $?\n1"],
)  # fmt: skip
def test_a_command_that_does_not_do_what_is_shown_is_noticed(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        replay(f"```console\n{wrong}\n…\n```\n", tmp_path)


def test_every_page_to_follow_has_something_to_run() -> None:
    """So that no page is passed for want of a block in the right form."""
    for page in PAGES:
        languages = [language for language, _, _ in blocks((DOCS / page).read_text("utf-8"))]
        assert "console" in languages, page
