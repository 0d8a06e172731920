"""Runs a target under atheris, from the fixtures as its first inputs."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
CONFIGURATION = ROOT / "docs" / "configuration.md"
LONGEST = 8192


def main() -> None:
    """Fuzz until the time is over, or a promise is broken: then the input is kept and named."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=main.__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    # What libyaml and the engine do inside is not theirs to see: our own modules are followed.
    with atheris.instrument_imports(include=["auditor"]):
        from tests.fuzz.targets import TARGETS
    with tempfile.TemporaryDirectory() as corpus:
        seeds = _seeds(Path(corpus))
        sys.stdout.write(f"{told.target}: {seeds} files to begin with\n")
        sys.stdout.flush()
        options = (
            f"-max_total_time={told.seconds}",
            f"-seed={told.seed}",
            "-timeout=20",
            "-rss_limit_mb=4096",
            f"-max_len={LONGEST}",
            "-print_final_stats=1",
        )
        atheris.Setup([sys.argv[0], *options, corpus], TARGETS[told.target])
        atheris.Fuzz()


def _seeds(folder: Path) -> int:
    texts = [file.read_text("utf-8") for file in FIXTURES.rglob("*.yaml")]
    examples = re.findall(r"```yaml\n(.*?)```", CONFIGURATION.read_text("utf-8"), re.DOTALL)
    seeds = [text for text in (*texts, *examples) if len(text) < LONGEST]
    for number, text in enumerate(seeds):
        (folder / str(number)).write_text(text, "utf-8")
    return len(seeds)


if __name__ == "__main__":
    main()
