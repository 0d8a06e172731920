"""What it costs to write an answer of thousands of findings: CPU seconds of the rendering.

``python benchmarks/reports.py`` audits 2,000 applications, first as one cause and then as a
cause each, and prints one line for each form.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from audit import typical

from auditor.audit import audit
from auditor.cli.options import PolicyOptions, choose
from auditor.fixes.offer import with_fixes
from auditor.model import Audit
from auditor.reporters import render
from auditor.sources.files import FileSource

FORMS = ("text", "json", "sarif")


def answer(folder: Path, *, alike: bool, fixes: bool) -> Audit:
    """About 2,000 applications in one folder each, or all in one."""
    for number, text in enumerate(typical(2000)):
        below = folder if alike else folder / str(number)
        below.mkdir(exist_ok=True)
        (below / f"app{number}.yaml").write_text(text, "utf-8")
    options = PolicyOptions(
        profile="strict", select=(), framework=(), kubernetes_version=None, engine="regorus",
        config=None, rack_label=None,
    )  # fmt: skip
    chosen = choose(options, folder)
    found = audit(FileSource((str(folder),)).snapshot(), chosen.bench, chosen.settings)
    return with_fixes(found, chosen.bench, chosen.settings) if fixes else found


def main(flags: list[str]) -> None:
    """Print one line for each form; with ``--no-fixes`` for an answer that offers none."""
    for alike in (True, False):
        with tempfile.TemporaryDirectory() as scratch:
            found = answer(Path(scratch), alike=alike, fixes="--no-fixes" not in flags)
            for form in FORMS:
                start = time.process_time()
                text = render(form, found, paths=(scratch,), terminal=None)
                cpu = time.process_time() - start
                what = "one cause" if alike else "a cause each"
                size = f"{len(found.open):,} findings, {what}, {len(text) / 1e6:.1f} MB"
                print(f"{form:5} {cpu:6.2f} s CPU  {size}", flush=True)


if __name__ == "__main__":
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    main(sys.argv[1:])
