"""The colours of pictures and pages, on a light and on a dark screen."""

from __future__ import annotations

LIGHT = (
    "--paper:#fff;--ink:#1d2939;--quiet:#475467;--line:#98a2b3;--place:#f8fafc;--rack:#eef2f6;"
    "--node:#fff;--chip:#e0eaff;--chipline:#6172f3;--data:#fee4e2;--dataline:#d92d20;"
    "--warn:#b54708;--bad:#b42318;--good:#067647"
)
DARK = (
    "--paper:#0f141b;--ink:#e6eaf0;--quiet:#a3adbb;--line:#5b6675;--place:#151c25;--rack:#1b2430;"
    "--node:#0f141b;--chip:#1f2f57;--chipline:#8098f9;--data:#55160c;--dataline:#f97066;"
    "--warn:#fdb022;--bad:#fda29b;--good:#75e0a7"
)


def schemes(selector: str) -> str:
    """Style that gives what `selector` names the colours of the screen."""
    return f"{selector}{{{LIGHT}}}\n@media (prefers-color-scheme:dark){{{selector}{{{DARK}}}}}\n"
