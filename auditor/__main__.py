"""`python -m auditor`: the command, where nothing is installed."""

from __future__ import annotations

from auditor.cli.main import main

main()
